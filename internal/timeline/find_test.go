package timeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	arrival, event, command     = timeline.Arrival, timeline.Event, timeline.Command
	attempt, result, deadLetter = timeline.Attempt, timeline.Result, timeline.Letter
)

// Two threads, each with a content and a reply: one that succeeded, one that was
// given up. Their commands were put on partitions by a producer of its own mind.
func twoThreads(h *hall) {
	h.imported("thread1", "content1")
	h.imported("thread2", "content2")
	h.answered("thread1", "content1", "command1", (home("thread1")+1)%partitions, "made1", schemas.ReplyStateAttempting, schemas.ReplyStateSucceeded)
	h.answered("thread2", "content2", "command2", home("thread2"), "made2", schemas.ReplyStateAttempting, schemas.ReplyStateDeadLettered)
}

func TestAStoryIsFoundByAnyOfItsNames(t *testing.T) {
	given := []timeline.Kind{command, attempt, result, deadLetter}
	whole := []timeline.Kind{arrival, event, command, attempt, result}
	bubble(t, func(t *testing.T, h *hall) {
		twoThreads(h)
		for name, want := range map[string][]timeline.Kind{
			"thread1":           whole,
			"thread2":           append([]timeline.Kind{arrival, event}, given...),
			"content1":          whole,
			"made1":             {command, attempt, result},
			"command1":          {command, attempt, result},
			"command2":          given,
			"event of content2": {arrival, event},
			"nothing":           nil,
		} {
			require.Equal(t, want, h.told(name), name)
		}
	})
}

func TestAMomentTellsWhatItIs(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		twoThreads(h)
		story, err := h.line.Find(t.Context(), timeline.Query{ID: "thread2"})
		require.NoError(t, err)
		var titles []string
		for _, m := range story.Moments {
			titles = append(titles, m.Title)
			require.Equal(t, "thread2", m.Conversation)
		}
		require.Equal(t, []string{
			"came in by webhook: content.imported", "published: content.imported, inbound",
			"command: CreateContent, issued by bot", "attempt 1 begins", "given up: forbidden, 1 attempt", "dead letter: forbidden, HTTP 403",
		}, titles)
		require.Equal(t, map[string]any{"type": "content.imported", "text": "hello"}, story.Moments[0].Record.(map[string]any)["body"], "not as base64")
		require.Equal(t, "content2", story.Moments[1].ResourceID)
		require.Equal(t, "command2", story.Moments[5].CommandID)
		require.Equal(t, json.Number("1"), story.Moments[4].Record.(map[string]any)["attempts"])
	})
}

// What was fetched of each topic: with the key of a conversation, one partition.
func TestAKeyIsSearchedForWhereItIs(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		for _, thread := range []string{"a", "b", "c", "d", "e", "f"} {
			h.imported(thread, "content of "+thread)
			h.answered(thread, "content of "+thread, "command of "+thread, home(thread), "made", schemas.ReplyStateSucceeded)
		}
		fetched := map[[16]byte]map[int32]bool{}
		h.cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
			h.cluster.KeepControl()
			for _, topic := range request.(*kmsg.FetchRequest).Topics {
				for _, p := range topic.Partitions {
					if fetched[topic.TopicID] == nil {
						fetched[topic.TopicID] = map[int32]bool{}
					}
					fetched[topic.TopicID][p.Partition] = true
				}
			}
			return nil, nil, false
		})
		require.Equal(t, []timeline.Kind{arrival, event, command, result}, h.told("d"))
		require.NotEmpty(t, fetched)
		for _, some := range fetched {
			require.Equal(t, map[int32]bool{home("d"): true}, some)
		}
	})
}

// Hours lie between two contents of a thread.
func TestOnlyWhatIsNewEnoughIsRead(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		h.imported("thread", "old")
		time.Sleep(6 * time.Hour)
		since := time.Now()
		h.imported("thread", "new")
		story, err := h.line.Find(t.Context(), timeline.Query{ID: "thread", Since: since})
		require.NoError(t, err)
		require.Len(t, story.Moments, 2)
		require.True(t, story.Complete)
		require.Equal(t, since, story.SearchedFrom)
		require.Len(t, h.told("thread"), 4)
	})
}

// More than a story may hold: the newest are told, and since when they are all.
func TestAStoryThatIsTooLongIsToldFromItsNewestOn(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		var records []*kgo.Record
		value, err := h.codec.Encode(&schemas.Arrival{ArrivalID: "many", Origin: schemas.OriginPoll, API: schemas.ApiEngage, ReceivedAt: time.Now()})
		require.NoError(t, err)
		for range 2500 {
			records = append(records, &kgo.Record{Topic: h.names.Inbox, Key: []byte("thread"), Partition: home("thread"), Value: value})
		}
		require.NoError(t, h.client.ProduceSync(t.Context(), records...).FirstErr())
		time.Sleep(3 * time.Hour)
		newest := time.Now()
		h.imported("thread", "new")
		story, err := h.line.Find(t.Context(), timeline.Query{ID: "thread"})
		require.NoError(t, err)
		require.False(t, story.Complete)
		require.WithinRange(t, story.SearchedFrom, newest.Add(-2*time.Hour), newest)
		require.Len(t, story.Moments, 2000)
		require.Equal(t, "new", story.Moments[1999].ResourceID)
	})
}

// Nobody's offsets are moved.
func TestFindingLeavesNothingBehind(t *testing.T) {
	bubble(t, func(t *testing.T, h *hall) {
		twoThreads(h)
		h.told("content1")
		groups, err := kadm.NewClient(h.client).ListGroups(t.Context())
		require.NoError(t, err)
		require.Empty(t, groups)
	})
}
