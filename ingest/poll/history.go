package poll

import (
	"encoding/json"
	"hash/maphash"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/schemas"
)

// EngageStreams lists the streams whose history a Tape reads.
func EngageStreams() []string { return streamsOf(kinds()) }

// SocialStreams lists the streams of Social Messaging.
func SocialStreams() []string { return streamsOf(socialKinds()) }

// MessagesStream is that of the message store.
const MessagesStream = messagesStream

func streamsOf(kinds []kind) (streams []string) {
	for _, k := range kinds {
		streams = append(streams, k.stream)
	}
	return streams
}

// A HistoryRow is a row of a list for backfill: keyed and dated as the rounds do it,
// so that the next stage takes both for the same.
type HistoryRow struct {
	At    time.Time // of a row of Engage what its list is ordered by, else its creation; zero = unreadable
	Ident string    // tells it from the others: its id, or where it has none its bytes
	Item  ingest.Item
}

func (k kind) historyRow(r row) HistoryRow {
	item := k.item(r)
	item.Arrival.Origin = schemas.OriginBackfill
	return HistoryRow{At: r.at, Ident: r.ident, Item: item}
}

// PlatformHistory reads rows of one of the platform's streams and returns them oldest
// first.
func PlatformHistory(stream string, records []json.RawMessage) []HistoryRow {
	return platformHistory(stream, createdRows(records, maphash.MakeSeed()))
}

// createdRows reads rows of the platform, dated by their creation.
func createdRows(records []json.RawMessage, seed hashSeed) []row {
	rows := make([]row, len(records))
	for i, raw := range records {
		rows[i] = readRow(raw, time.Now(), seed, created)
	}
	return rows
}

func platformHistory(stream string, rows []row) []HistoryRow {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.empty })
	sortHistory(rows)
	var out []HistoryRow
	for _, k := range append(socialKinds(), messagesKind()) {
		for _, r := range rows {
			if k.stream == stream {
				out = append(out, k.historyRow(r))
			}
		}
	}
	return out
}

// Pause returns how long to leave the API alone after an error of a call, so many
// failures in a row, and whether another try by itself may help: it does not where
// only an operator can change the answer. An answer of 429, or no budget, is a wait:
// it need not be counted. random is in [0, 1).
func Pause(err error, failures int, random float64) (pause time.Duration, again, counts bool) {
	verdict := judge(err)
	switch verdict {
	case resultRateLimited:
		return wait(err, max(failures, 1), rateLimitPause, random), true, false
	case resultUnavailable, resultMoving:
		return wait(err, max(failures, 1), 0, random), true, true
	default:
		return 0, false, true
	}
}

// IsPageFault reports whether an error of a list may concern the page alone that was asked for;
// first says that it is the first page of its list.
func IsPageFault(err error, first bool) bool { return isPageFault(err, first) }

// RefusesRequest reports whether an error is a definite no to a request as it was put, which
// another order, size or span may change.
func RefusesRequest(err error) bool { return refusesRequest(err) }

// rateLimitPause is the wait after a 429 that asks for none.
const rateLimitPause = 30 * time.Second
