package consume_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/consume"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// storedText is a text message in the store of fakeTexts.
type storedText struct {
	Direction    string    `json:"direction"`
	Availability string    `json:"availability"`
	Type         string    `json:"type"`
	ID           int       `json:"id"`
	From         number    `json:"from"`
	To           []number  `json:"to"`
	Subject      string    `json:"subject"`
	CreationTime time.Time `json:"creationTime"`
}

type number struct {
	PhoneNumber string `json:"phoneNumber"`
}

// uncalled are the calls that no text makes.
type uncalled interface{ consume.Messages }

// fakeTexts is a message store that takes as many calls at a time as are made: the
// real client's limits would let one out after the other. script decides what the
// nth call does: when it takes effect, if at all, and what it answers.
type fakeTexts struct {
	uncalled

	mu     sync.Mutex
	script func(n int, take func()) error
	texts  []storedText
	calls  int
	out    int           // calls under way
	most   int           // of them at a time
	behind time.Duration // its clock
}

func (f *fakeTexts) Now(context.Context) (time.Time, error) { return f.clock(), nil }

func (f *fakeTexts) clock() time.Time { return time.Now().Add(-f.behind) }

func (f *fakeTexts) SendSMS(_ context.Context, m ringcentral.TextMessage) (json.RawMessage, error) {
	f.mu.Lock()
	f.calls++
	n := f.calls
	f.out++
	f.most = max(f.most, f.out)
	f.mu.Unlock()
	id := 0
	err := f.script(n, func() { id = f.keep(m.Text, f.clock()) })
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out--
	if err != nil {
		return nil, err
	}
	return json.RawMessage(`{"id":` + strconv.Itoa(id) + `}`), nil
}

// keep puts a text into the store and returns its id.
func (f *fakeTexts) keep(text string, at time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := 1001 + len(f.texts)
	f.texts = append(f.texts, storedText{
		Direction: "Outbound", Availability: "Alive", Type: "SMS", ID: id, Subject: text, CreationTime: at.UTC().Truncate(time.Second),
		From: number{sandbox.DefaultNumber}, To: []number{{customer}},
	})
	return id
}

// Messages lists what was created since q.From, the newest first.
func (f *fakeTexts) Messages(_ context.Context, q ringcentral.MessagesQuery) (page ringcentral.MessagePage, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range slices.Backward(f.texts) {
		if text.CreationTime.Before(q.From) {
			continue
		}
		raw, err := json.Marshal(text)
		if err != nil {
			return page, err
		}
		page.Records = append(page.Records, raw)
	}
	return page, nil
}

// TestEqualTextsAreNotAtWorkTogether has two equal texts in two conversations. The
// first is in the store while its answer is still on its way; the second is cut off
// before it was made. A look-up for the second would find the first, of which nobody
// knows yet whose it is, and the customer would have one text for two.
func TestEqualTextsAreNotAtWorkTogether(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		api := &fakeTexts{script: func(n int, take func()) error {
			switch n {
			case 1:
				take()
				time.Sleep(30 * time.Second)
				return nil
			case 2:
				return reset()
			}
			take()
			return nil
		}}
		b.texts = api
		b.cfg.CallTimeout = time.Minute
		b.start()
		b.send(b.command("c1", "conv1", sms("OK")), b.command("c2", "conv2", sms("OK")))
		final := b.wait(2)
		require.NotEqual(t, *final["c1"].ResourceID, *final["c2"].ResourceID)
		require.Len(t, api.texts, 2)
		require.Equal(t, 3, api.calls)
		require.Equal(t, 1, api.most)
	})
}

// TestOtherTextsDoNotWaitForEachOther shows that the fake lets two calls out at once,
// and that only equal texts stand in line.
func TestOtherTextsDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		api := &fakeTexts{script: func(_ int, take func()) error {
			time.Sleep(time.Second)
			take()
			return nil
		}}
		b.texts = api
		b.start()
		b.send(b.command("c1", "conv1", sms("OK")), b.command("c2", "conv2", sms("KO")))
		b.wait(2)
		require.Equal(t, 2, api.most)
	})
}

// TestAnOlderEqualTextIsNotTakenForOurs cuts a call off that found an equal text in
// the store, from before it.
func TestAnOlderEqualTextIsNotTakenForOurs(t *testing.T) {
	const made = 1002 // the second in the store
	for fact, c := range map[string]struct {
		age    time.Duration
		effect bool // of the call that is cut off
		want   schemas.ReplyState
		calls  int
	}{
		"beyond what clocks differ it is nobody's, and ours is sent": {2 * time.Hour, false, schemas.ReplyStateSucceeded, 2},
		"a while ago it may be ours by a wrong clock":                {5 * time.Minute, false, schemas.ReplyStateDeadLettered, 1},
		"beside it there is ours, long after":                        {2 * time.Hour, true, schemas.ReplyStateSucceeded, 1},
		"beside it there is ours, a while after":                     {5 * time.Minute, true, schemas.ReplyStateSucceeded, 1},
	} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				api := &fakeTexts{script: func(n int, take func()) error {
					if n > 1 || c.effect {
						take()
					}
					if n == 1 {
						return reset()
					}
					return nil
				}}
				api.keep("OK", time.Now())
				time.Sleep(c.age)
				b.texts = api
				b.start()
				b.send(b.command("c1", "conv", sms("OK")))
				result := b.wait(1)["c1"]
				require.Equal(t, c.want, result.State, "%v", result)
				require.Equal(t, c.calls, api.calls)
				if c.want == schemas.ReplyStateDeadLettered {
					require.Equal(t, string(deadletter.Ambiguous), *result.Reason)
					return
				}
				require.Equal(t, strconv.Itoa(made), *result.ResourceID)
				require.Equal(t, c.effect, result.Recovered)
			})
		})
	}
}

// TestATextOfAnEarlierCommandIsNotTakenForOurs sends the same words twice in an
// hour: the first is known to be another's, however alike.
func TestATextOfAnEarlierCommandIsNotTakenForOurs(t *testing.T) {
	for fact, age := range map[string]time.Duration{"a moment ago": 10 * time.Second, "a while ago": 10 * time.Minute} {
		t.Run(fact, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				api := &fakeTexts{script: func(n int, take func()) error {
					if n == 2 {
						return reset()
					}
					take()
					return nil
				}}
				b.texts = api
				b.start()
				b.send(b.command("c1", "conv", sms("OK")))
				b.wait(1)
				time.Sleep(age)
				b.send(b.command("c2", "conv", sms("OK")))
				final := b.wait(2)
				require.Equal(t, schemas.ReplyStateSucceeded, final["c2"].State, "%v", final["c2"])
				require.NotEqual(t, *final["c1"].ResourceID, *final["c2"].ResourceID)
				require.Len(t, api.texts, 2)
			})
		})
	}
}

// TestATextIsFoundThoughOurClockIsAhead: by this machine's clock the text is ten
// minutes older than its call, as one that an agent sent would be.
func TestATextIsFoundThoughOurClockIsAhead(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		api := &fakeTexts{behind: 10 * time.Minute, script: func(_ int, take func()) error {
			take()
			return reset()
		}}
		b.texts = api
		b.start()
		b.send(b.command("c1", "conv1", sms("OK")))
		require.True(t, b.wait(1)["c1"].Recovered)
		require.Len(t, api.texts, 1)
	})
}
