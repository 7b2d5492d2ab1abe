package deadletter_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

func TestALetterThatDoesNotFitIsAStub(t *testing.T) {
	size := func(r *kgo.Record) (n int) {
		n = len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			n += len(h.Key) + len(h.Value)
		}
		return n
	}
	large := strings.Repeat("x", 20_000)
	for fact, test := range map[string]struct {
		key, header, value        string
		hasKey, hasHeader, isStub bool
	}{
		"all fits":                          {key: "k", header: "h", value: "v", hasKey: true, hasHeader: true},
		"the value is left out first":       {key: "k", header: "h", value: large, hasKey: true, hasHeader: true, isStub: true},
		"a large key goes with the headers": {key: large, header: "h", value: "v", isStub: true},
		"and large headers with the key":    {key: "k", header: large, value: "v", isStub: true},
	} {
		t.Run(fact, func(t *testing.T) {
			original := &kgo.Record{
				Topic: "inbox", Partition: 3, Offset: 17, Key: []byte(test.key), Headers: []kgo.RecordHeader{{Key: "theirs", Value: []byte(test.header)}},
			}
			letter := deadletter.Letter{Topic: "inbox", Partition: 3, Offset: 17, Message: "why", Reason: deadletter.Invalid}
			r := letter.Record(original, []byte(test.value), func(r *kgo.Record) bool { return size(r) <= 10_000 })
			require.LessOrEqual(t, size(r), 10_000)
			read, ok := deadletter.Parse(r.Headers)
			require.True(t, ok)
			require.Equal(t, deadletter.Invalid, read.Reason)
			require.Contains(t, read.Message, "why")
			require.Equal(t, test.hasKey, string(r.Key) == test.key)
			require.Equal(t, test.hasHeader, len(deadletter.Strip(r.Headers)) == 1)
			require.Equal(t, test.isStub, string(r.Value) != test.value)
			if test.isStub {
				require.Contains(t, read.Message, "at inbox/3 offset 17")
				require.NotNil(t, r.Value, "it is no tombstone")
			}
		})
	}
}
