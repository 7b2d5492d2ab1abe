package deadletter_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

func letter() deadletter.Letter {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	return deadletter.Letter{
		Topic: "r.replies", Partition: 3, Offset: 1 << 40, Group: "r.replies", Attempts: 5, Message: "503", Reason: deadletter.RetriesExhausted,
		HTTPStatus: 503, ErrorCode: "oops", FirstFailedAt: at, FailedAt: at.Add(time.Minute), Redrives: 2,
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	got, ok := deadletter.Parse(letter().Headers(nil))
	require.True(t, ok)
	require.Equal(t, letter(), got)
	_, ok = deadletter.Parse([]kgo.RecordHeader{{Key: "mine"}})
	require.False(t, ok)
}

func TestTheProducersHeadersKeepTheirBytesAndOrder(t *testing.T) {
	own := []kgo.RecordHeader{{Key: "b", Value: []byte{0xff, 0}}, {Key: "a"}, {Key: "b", Value: []byte("2")}}
	require.Equal(t, own, letter().Headers(own)[:3])
	require.Equal(t, own, deadletter.Strip(letter().Headers(own)))
}

// Peer failure 8: the headers grew with each round, until the record was too large.
func TestHeadersAreReplacedNotAppended(t *testing.T) {
	once := letter().Headers(nil)
	again := letter()
	again.Redrives = 3
	twice := again.Headers(deadletter.Redriven(once, 3))
	require.Len(t, twice, len(once))
	require.Equal(t, 3, deadletter.Redrives(twice))
	own := []kgo.RecordHeader{{Key: "mine", Value: []byte("x")}}
	headers := own
	for round := range 1000 {
		l := letter()
		l.Message, l.Redrives = strings.Repeat("long ", 1000), round
		headers = deadletter.Redriven(l.Headers(headers), round+1)
	}
	require.Len(t, headers, len(deadletter.Redriven(letter().Headers(own), 1)))
	require.Equal(t, own, deadletter.Strip(headers))
}

func TestALetterWithoutACallHasNoStatus(t *testing.T) {
	l := letter()
	l.HTTPStatus = 0
	for _, h := range l.Headers(nil) {
		require.NotEqual(t, "ringbridge.dlq.http.status", h.Key)
	}
}

func TestValuesAreCutAtARune(t *testing.T) {
	l := letter()
	l.Message = strings.Repeat("é", 5000) + "\xff"
	got, _ := deadletter.Parse(l.Headers(nil))
	require.LessOrEqual(t, len(got.Message), 1024)
	require.True(t, utf8.ValidString(got.Message))
}
