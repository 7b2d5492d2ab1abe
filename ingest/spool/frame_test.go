package spool_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/spool"
	"github.com/ringbridge/ringbridge/internal/deadletter"
)

var mark = spool.Marker{0xd1, 'm', 0, 'r', 'k', 0xff, '7', '8'}

// payloads of different lengths; one pretends to be the beginning of a record.
var payloads = [][]byte{[]byte("a"), append(mark[:], 0, 0, 0, 1), bytes.Repeat([]byte("x"), 300), []byte("last")}

func segmentOf(payloads ...[]byte) (data []byte) {
	for _, p := range payloads {
		data = spool.AppendFrame(data, mark, p)
	}
	return data
}

// readable returns the payloads of the records, and how many pieces were none.
func readable(data []byte) (found [][]byte, damaged int) {
	for _, p := range spool.Pieces(data, mark) {
		if p.Payload == nil {
			damaged++
			continue
		}
		found = append(found, p.Payload)
	}
	return found, damaged
}

func TestASegmentCutAnywhereHasItsWholeRecords(t *testing.T) {
	data := segmentOf(payloads...)
	var ends []int
	for i := range payloads {
		ends = append(ends, len(segmentOf(payloads[:i+1]...)))
	}
	for cut := range len(data) {
		whole := 0
		for whole < len(ends) && ends[whole] <= cut {
			whole++
		}
		found, damaged := readable(data[:cut])
		require.True(t, slices.EqualFunc(payloads[:whole], found, bytes.Equal), cut)
		require.Equal(t, cut != 0 && !slices.Contains(ends, cut), damaged == 1, cut)
	}
}

func TestAWrongByteAnywhereCostsOneRecord(t *testing.T) {
	data := segmentOf(payloads...)
	for at := range data {
		wrong := slices.Clone(data)
		wrong[at] ^= 0x40
		found, damaged := readable(wrong)
		require.Len(t, found, len(payloads)-1, at)
		require.Equal(t, 1, damaged, at)
	}
}

func TestZerosAreNoRecord(t *testing.T) {
	found, damaged := readable(append(segmentOf(payloads...), make([]byte, 4096)...))
	require.Len(t, found, len(payloads))
	require.Equal(t, 1, damaged)
	var zero spool.Marker
	for _, p := range spool.Pieces(make([]byte, 100), zero) {
		require.Nil(t, p.Payload)
	}
}

func TestAnEntryComesBackAsItWas(t *testing.T) {
	id := "c1"
	full := item("thread ü", "\x00\xff not even JSON")
	full.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	full.Arrival.ResourceID = &id
	full.Arrival.ReceivedAt = time.Date(2026, 11, 21, 12, 0, 0, 123_000_000, time.UTC)
	for fact, given := range map[string]ingest.Item{
		"everything":      full,
		"no key":          item("", "{}"),
		"an empty body":   item("k", ""),
		"a body of a lot": item("k", string(bytes.Repeat([]byte("x"), 1<<20))),
	} {
		t.Run(fact, func(t *testing.T) {
			payload, err := spool.EncodeItem(given)
			require.NoError(t, err)
			got, refusal, err := spool.Decode(payload)
			require.NoError(t, err)
			require.Nil(t, refusal)
			require.Equal(t, given, *got)
		})
	}
	given := ingest.Refusal{
		Body: []byte("\x1f\x8b"), Message: "no events", Reason: deadletter.Invalid, Key: "thread", TraceParent: full.TraceParent,
		Headers: []ingest.Header{{Name: "Content-Type", Value: "text/\xff"}},
	}
	payload, err := spool.EncodeRefusal(given)
	require.NoError(t, err)
	none, got, err := spool.Decode(payload)
	require.NoError(t, err)
	require.Nil(t, none)
	require.Equal(t, given, *got)
}

func TestWhatIsTooLargeIsNotEncoded(t *testing.T) {
	_, err := spool.EncodeItem(item("k", string(make([]byte, 17<<20))))
	require.ErrorIs(t, err, ingest.ErrTooLarge)
}

// FuzzReader gives the reader what a broken disk may hold. It must end, account
// for every byte, and never take damage for a record.
func FuzzReader(f *testing.F) {
	whole := segmentOf(payloads...)
	entry, err := spool.EncodeItem(item("k", `{"type":"x"}`))
	require.NoError(f, err)
	f.Add([]byte{})
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[1:])
	f.Add(segmentOf(entry, entry))
	f.Add(append(segmentOf(entry), make([]byte, 64)...))
	f.Add(append(slices.Clone(mark[:]), 0xff, 0xff, 0xff, 0xff))
	f.Add(segmentOf([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}, []byte{1, 2, '{', '}', 'b'}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		for _, p := range spool.Pieces(data, mark) {
			require.Equal(t, len(again), p.Offset)
			if p.Payload == nil {
				require.Positive(t, p.Size)
				again = append(again, data[p.Offset:p.Offset+p.Size]...)
				continue
			}
			again = spool.AppendFrame(again, mark, p.Payload)
			require.Len(t, again, p.Offset+p.Size)
			got, refusal, err := spool.Decode(p.Payload)
			require.Equal(t, err == nil, (got == nil) != (refusal == nil), errors.Join(err))
		}
		require.True(t, bytes.Equal(data, again))
	})
}
