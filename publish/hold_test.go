package publish_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/schemas"
)

// arriveIn writes an arrival to partition 0 of the inbox, in a conversation.
func (b *bench) arriveIn(conversation string, arrivals ...schemas.Arrival) {
	b.Helper()
	producer, err := kgo.NewClient(append(slices.Clone(b.opts), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(b, err)
	defer producer.Close()
	for _, a := range arrivals {
		a.ReceivedAt = time.Now()
		value, err := b.codec.Encode(&a)
		require.NoError(b, err)
		r := &kgo.Record{Topic: b.names.Inbox, Key: []byte(conversation), Value: value}
		require.NoError(b, producer.ProduceSync(b.Context(), r).FirstErr())
		b.arrived[0] = max(b.arrived[0], r.Offset)
	}
}

// from returns a content that was polled; author "" = it names none.
func from(author, content string) schemas.Arrival {
	by := ""
	if author != "" {
		by = fmt.Sprintf(`"author_id":%q,`, author)
	}
	return row("content", fmt.Sprintf(`{"id":%q,%s"thread_id":"t-%s","body":"hi","status":"new","updated_at":"2026-03-01T00:00:00Z"}`, content, by, content))
}

// ids returns the contents whose events are out, in their order.
func (b *bench) ids() (ids []string) {
	b.Helper()
	for _, event := range b.contents() {
		ids = append(ids, event.Content.ID)
	}
	return ids
}

// offset returns what the group has committed of partition 0.
func (b *bench) offset() int64 {
	b.Helper()
	at, err := kadm.NewClient(b.client).FetchOffsets(b.Context(), b.names.Group("publish"))
	require.NoError(b, err)
	committed, _ := at.Lookup(b.names.Inbox, 0)
	return committed.At
}

// slowly returns an API that does not answer for the author "slow".
func slowly() *fakeAPI {
	api := newFakeAPI(map[string]string{"ada": ada, "slow": `{"id":"slow","display_name":"Slow","updated_at":"2026-01-01T00:00:00Z"}`})
	api.slow["slow"] = true
	return api
}

const letter = `{"type":"content.imported"`

func TestAnEventWaitsForTheBoundAndTheOthersOfItsPartitionDoNot(t *testing.T) {
	onBench(t, func(b *bench) {
		api := slowly()
		defer b.start(api.enrich)()
		b.arriveIn("warm", from("", "warm"))
		b.caughtUp()
		begun := time.Now()
		b.arriveIn("t1", from("slow", "c1"))
		b.arriveIn("t2", from("ada", "c2"), webhook(`{"type":"task.created","id":"e1","resource":{"type":"task","id":"1"}}`))
		b.arriveIn("t3", from("", "c3"))
		b.eventually("the others are out", func() bool { return len(b.contents()) == 3 && len(b.committed(b.names.Activity)) == 1 })
		require.Less(b, time.Since(begun), 200*time.Millisecond)
		require.ElementsMatch(b, []string{"warm", "c2", "c3"}, b.ids())
		require.Equal(b, "Ada", *b.event("c2").Author.DisplayName)
		require.Equal(b, 1, b.metric("ringbridge_publish_held_records"))
		b.caughtUp()
		require.InDelta(b, 2, time.Since(begun).Seconds(), 0.2)
		require.Nil(b, b.event("c1").Author)
		require.Zero(b, b.metric("ringbridge_publish_held_records"))
	})
}

func TestAnEventGoesOutAsSoonAsItsCallsAreAnswered(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		api.takes = 300 * time.Millisecond
		defer b.start(api.enrich)()
		b.arriveIn("warm", from("", "warm"))
		b.caughtUp()
		begun := time.Now()
		b.arriveIn("t1", from("ada", "c1"))
		b.eventually("it is out", func() bool { return len(b.contents()) == 2 })
		require.InDelta(b, 0.3, time.Since(begun).Seconds(), 0.15)
		require.Equal(b, "Ada", *b.event("c1").Author.DisplayName)
	})
}

func TestTheOrderWithinAConversationIsKept(t *testing.T) {
	onBench(t, func(b *bench) {
		api := slowly()
		defer b.start(api.enrich)()
		b.arriveIn("t1", from("", "c1"), from("slow", "c2"), from("ada", "c3"))
		b.arriveIn("t2", from("ada", "d1"))
		b.arriveIn("t1", from("", "c4"), from("slow", "c5"))
		b.arriveIn("t2", from("", "d2"))
		b.caughtUp()
		ids := b.ids()
		require.Equal(b, []string{"c1", "c2", "c3", "c4", "c5"}, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id[0] == 'd' }))
		require.Less(b, slices.Index(ids, "d2"), slices.Index(ids, "c2"), "another conversation goes on")
		require.Equal(b, "Ada", *b.event("c3").Author.DisplayName)
	})
}

func TestNothingPastAHeldRecordIsCommitted(t *testing.T) {
	onBench(t, func(b *bench) {
		api := slowly()
		stop := b.start(api.enrich)
		defer stop()
		b.arriveIn("warm", from("", "warm"))
		b.caughtUp()
		b.arriveIn("t1", from("slow", "c1"))
		b.arriveIn("t2", from("", "c2"), webhook(letter), from("", "c3"))
		time.Sleep(time.Second)
		require.Equal(b, []string{"warm", "c2"}, b.ids(), "c3 is in the conversation of a letter")
		require.Empty(b, b.committed(b.names.InboxDLQ), "it would be written again after a crash")
		require.EqualValues(b, 1, b.offset())
		stop() // with records that are held
		require.EqualValues(b, 1, b.offset())
		require.Zero(b, b.metric("ringbridge_publish_held_records"))

		api.set(func() { clear(api.slow) })
		defer b.start(api.enrich)()
		b.settle()
		require.Equal(b, []string{"warm", "c2", "c1", "c3"}, b.ids())
		require.Equal(b, "Slow", *b.event("c1").Author.DisplayName)
		require.Len(b, b.committed(b.names.InboxDLQ), 1)
	})
}

// After an abort the client goes back to where it believes to have committed, which
// is past the records that were held then.
func TestNothingIsLostOrDoubledWhenTransactionsFailWhileRecordsAreHeld(t *testing.T) {
	for fact, fault := range map[string]kfake.Fault{
		"the end is refused":                   {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.UnknownServerError},
		"the end is fenced":                    {Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.InvalidProducerEpoch},
		"the offsets are of an old generation": {Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration},
		"an event is refused":                  {Keys: []kmsg.Key{kmsg.Produce}, Topic: "t.contents", Err: kerr.TopicAuthorizationFailed},
		"a heartbeat finds us unknown":         {Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID},
	} {
		for when, wait := range map[string]time.Duration{
			"of the others":            0,
			"of the record held":       2 * time.Second,
			"of both, again and again": -1,
		} {
			t.Run(fact+" "+when, func(t *testing.T) {
				onBench(t, func(b *bench) {
					api := slowly()
					defer b.start(api.enrich)()
					b.arriveIn("warm", from("", "warm"))
					b.caughtUp()
					fault := fault
					if wait < 0 {
						fault.Count = 8
					}
					b.arriveIn("t1", from("slow", "c1"))
					b.arriveIn("t2", from("", "d1"))
					time.Sleep(100 * time.Millisecond) // committed, but for c1
					require.Equal(b, []string{"warm", "d1"}, b.ids())
					time.Sleep(max(wait-200*time.Millisecond, 0))
					handle := b.cluster.Fault(fault)
					if wait <= 0 {
						b.arriveIn("t2", from("", "d2"), from("slow", "d3"), webhook(letter))
						b.arriveIn("t1", from("", "c2"))
					}
					b.settle()
					if wait <= 0 || fault.Keys[0] != kmsg.Heartbeat { // without new records none is forced
						require.NotZero(b, handle.Hits())
					}
					want := 3
					if wait <= 0 {
						want = 6
						require.Len(b, b.committed(b.names.InboxDLQ), 1)
					}
					once(b, want)
				})
			})
		}
	}
}

func TestWithoutBudgetABurstGoesOutAtOnceAndItsCompletionsFollow(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{})
		api.broke = true
		defer b.start(api.enrich)()
		b.arrive(webhook(`{"type":"warm.up","resource":{"id":"1"}}`))
		b.caughtUp()
		var burst []schemas.Arrival
		for i := range 500 {
			author, content := fmt.Sprint("a", i), fmt.Sprint("c", i)
			burst = append(burst, by(author, content))
			api.answers[author] = fmt.Sprintf(`{"id":%q,"display_name":"Ada","updated_at":"2026-01-01T00:00:00Z"}`, author)
			api.answers[content] = fmt.Sprintf(`{"id":%q,"thread_id":"t-%s","author_id":%q,"body":"hi","updated_at":"2026-03-02T00:00:00Z"}`, content, content, author)
		}
		begun, before := time.Now(), b.metric("ringbridge_publish_transactions_total")
		b.arrive(burst...)
		b.caughtUp()
		require.Less(b, time.Since(begun), 300*time.Millisecond)
		require.LessOrEqual(b, b.metric("ringbridge_publish_transactions_total")-before, 10)
		require.Nil(b, b.event("c499").Author)
		require.Equal(b, 1000, b.metric("ringbridge_publish_completions_waiting"))

		api.set(func() {
			api.broke = false
			clear(api.asked)
		})
		b.eventually("all is asked for", func() bool { return b.metric("ringbridge_publish_completions_waiting") == 0 })
		b.settle()
		kinds := map[string]int{}
		for _, r := range b.committed(b.names.Inbox) {
			var a schemas.Arrival
			require.NoError(b, b.codec.Decode(b.Context(), r.Value, &a))
			kinds[a.Kind]++
			switch a.Kind {
			case "author":
				require.Equal(b, schemas.OriginPoll, a.Origin)
				require.Equal(b, "t-"+*a.ResourceID, string(r.Key), "the conversation's partition")
				require.Equal(b, api.answers["a"+(*a.ResourceID)[1:]], string(a.Body))
			case "content":
				require.Equal(b, "t-"+*a.ResourceID, string(r.Key))
				require.Equal(b, api.answers[*a.ResourceID], string(a.Body))
			}
		}
		require.Equal(b, 500, kinds["author"])
		require.Equal(b, 500, kinds["content"])
		require.Equal(b, 500, kinds["identity"])
		require.Len(b, b.identities(), 500)
		require.Equal(b, 500, api.calls(), "each author once")
	})
}

func TestWithABoundOfZeroNothingWaits(t *testing.T) {
	onBench(t, func(b *bench) {
		b.bound = 0
		api := newFakeAPI(map[string]string{"ada": ada, "c1": `{"id":"c1","thread_id":"t-c1","body":"hi"}`})
		defer b.start(api.enrich)()
		b.arrive(by("ada", "c1"))
		b.eventually("the event", func() bool { return len(b.contents()) > 0 })
		require.Nil(b, b.event("c1").Author)
		b.eventually("the author follows", func() bool { return len(b.identities()) == 1 })
		b.settle()
		require.Len(b, b.committed(b.names.Inbox), 4, "the arrival, the author, the identity and the content")
		b.arrive(by("ada", "c2"))
		b.settle()
		require.Equal(b, "Ada", *b.event("c2").Author.DisplayName, "one that is known costs no time")
		require.Equal(b, 1, api.calls())
	})
}

func TestAuthorsThatWerePublishedBeforeAreKnownAtTheStart(t *testing.T) {
	onBench(t, func(b *bench) {
		api := newFakeAPI(map[string]string{"ada": ada})
		stop := b.start(api.enrich)
		defer stop()
		b.arrive(from("ada", "c1"))
		b.settle()
		stop()
		require.Equal(b, 1, api.calls())
		defer b.start(api.enrich)()
		time.Sleep(5 * time.Second)
		b.arrive(from("ada", "c2"))
		b.settle()
		require.Equal(b, 1, api.calls())
		require.Equal(b, "Ada", *b.event("c2").Author.DisplayName)
		time.Sleep(11 * time.Minute)
		b.arrive(from("ada", "c3"))
		b.settle()
		require.Equal(b, 2, api.calls(), "asked for after a while")
	})
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	onBench(t, func(b *bench) {
		api := slowly()
		defer b.start(api.enrich)()
		b.arrive(from("ada", "warm"))
		b.caughtUp()
		var arrivals []schemas.Arrival
		for i := range 2600 {
			arrivals = append(arrivals, from("slow", fmt.Sprint("c", i)))
		}
		b.arrive(arrivals...)
		time.Sleep(time.Second)
		require.Equal(b, 2000, b.metric("ringbridge_publish_held_records"))
		require.Len(b, b.contents(), 601, "the oldest went out")
		b.caughtUp()
		once(b, 2601)
	})
}

func TestRecordsThatAreHeldMoveWithTheirPartitions(t *testing.T) {
	inRealTime(t, func(b *bench) {
		api := slowly()
		b.bound = 500 * time.Millisecond
		stops := []func(){b.start(hasty, api.enrich)}
		next := 0
		burst := func() {
			for range 20 {
				author := "ada"
				if next%7 == 0 {
					author = fmt.Sprint("slow", next)
					api.set(func() { api.slow[author] = true })
				}
				b.arrive(from(author, fmt.Sprint("c", next)), thread(fmt.Sprint("t", next%9), fmt.Sprint("d", next), "hi"))
				next++
			}
			b.arrive(webhook(letter))
		}
		letters := 0
		for range 3 {
			for range 5 {
				burst()
				letters++
			}
			stops = append(stops, b.start(hasty, api.enrich))
			for range 10 {
				burst()
				letters++
				time.Sleep(100 * time.Millisecond)
			}
			stops[0]()
			stops = stops[1:]
		}
		b.settle()
		stops[0]()
		once(b, 2*next)
		require.Len(b, b.committed(b.names.InboxDLQ), letters)
	})
}
