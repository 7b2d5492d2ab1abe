package poll

import (
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/schemas"
)

// HistoryStreams lists the streams whose history a Tape reads.
func HistoryStreams() []string {
	var streams []string
	for _, k := range kinds() {
		streams = append(streams, k.stream)
	}
	return streams
}

// A HistoryRow is a row of a list for backfill: keyed and dated as the rounds do it,
// so that the next stage takes both for the same.
type HistoryRow struct {
	At   time.Time // what the list is ordered by; zero = unreadable
	Item ingest.Item
}

func (k kind) historyRow(r row) HistoryRow {
	item := k.item(r)
	item.Arrival.Origin = schemas.OriginBackfill
	return HistoryRow{At: r.at, Item: item}
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

// rateLimitPause is the wait after a 429 that asks for none.
const rateLimitPause = 30 * time.Second
