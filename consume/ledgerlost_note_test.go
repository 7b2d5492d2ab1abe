package consume

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// The next owner must doubt what this one has not ended.
func TestALostLedgerIsNotedUntilAllThatIsInDoubtHasEnded(t *testing.T) {
	first := topicFacts{replies: kadm.TopicID{1}, results: kadm.TopicID{2}}
	second := topicFacts{replies: kadm.TopicID{1}, results: kadm.TopicID{3}}
	r := recordOf(first, kafka.OffsetNote{})
	require.False(t, r.doubts(0), "nothing was committed yet")
	r.reach(6)
	r = recordOf(second, kafka.ParseOffsetNote(r.note(3, 7)))
	require.True(t, r.doubts(6))
	require.False(t, r.doubts(7))

	next := recordOf(second, kafka.ParseOffsetNote(r.note(4, 9)))
	require.True(t, next.doubts(6), "6 has not ended")
	next = recordOf(second, kafka.ParseOffsetNote(r.note(7, 9)))
	require.False(t, next.doubts(6))
	require.Empty(t, next.lost)
}
