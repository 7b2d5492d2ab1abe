package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// faultyPlatform is a platform whose message store answers as it is set to; a nil field
// leaves the answer as it is.
type faultyPlatform struct {
	pollPlatform

	mu      sync.Mutex
	list    func(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error)
	message func(ctx context.Context, id string) (json.RawMessage, error)
	sync    func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error)
	syncs   int
	reaches []time.Duration // of full syncs
}

func (f *faultyPlatform) set(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

func (f *faultyPlatform) Messages(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
	f.mu.Lock()
	list := f.list
	f.mu.Unlock()
	if list != nil {
		return list(ctx, q)
	}
	return f.pollPlatform.Messages(ctx, q)
}

func (f *faultyPlatform) Message(ctx context.Context, id string) (json.RawMessage, error) {
	f.mu.Lock()
	message := f.message
	f.mu.Unlock()
	if message != nil {
		return message(ctx, id)
	}
	return f.pollPlatform.Message(ctx, id)
}

func (f *faultyPlatform) SyncMessages(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	answer, err := f.pollPlatform.SyncMessages(ctx, q)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncs++
	if q.Token == "" {
		f.reaches = append(f.reaches, time.Since(q.From))
	}
	if f.sync != nil {
		return f.sync(q, answer, err)
	}
	return answer, err
}

// far counts full syncs that reach back further than an hour.
func (f *faultyPlatform) far() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, reach := range f.reaches {
		if reach > time.Hour {
			n++
		}
	}
	return n
}

func faultyBubble(t *testing.T, test func(t *testing.T, b *platformBench, f *faultyPlatform)) {
	t.Helper()
	platformBubble(t, sandbox.PlatformConfig{}, func(t *testing.T, b *platformBench) {
		f := &faultyPlatform{pollPlatform: b.source}
		b.source = f
		test(t, b, f)
	})
}

func refused(status int, err error) error {
	return &ringcentral.Error{Op: "fake", Status: status, Code: "CMN-101", Outcome: ringcentral.Refused, Err: err}
}

// comesIn sends a message and holds that it is in the inbox within two rounds.
func (b *platformBench) comesIn(t *testing.T) string {
	t.Helper()
	id := b.text(t, sandbox.MessageImport{})
	time.Sleep(2*b.cfg.Interval + settle)
	require.Len(t, b.items(id), 1)
	return id
}

func (b *platformBench) remove(t *testing.T, id string) {
	t.Helper()
	number, err := strconv.ParseInt(id, 10, 64)
	require.NoError(t, err)
	_, err = b.account.EditMessage(number, sandbox.MessageEdit{Availability: "Deleted"})
	require.NoError(t, err)
}

func TestAListOfDeletedMessagesThatCannotBeReadHoldsUpNothing(t *testing.T) {
	deleted := func(n int) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"id":%d,"availability":"Deleted"}`, 9000+n))
	}
	status := func(code int) func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
		return func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			return ringcentral.MessagePage{}, refused(code, nil)
		}
	}
	pages := 0
	for fact, list := range map[string]func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error){
		"refused":         status(http.StatusBadRequest),
		"forbidden":       status(http.StatusForbidden),
		"unauthorized":    status(http.StatusUnauthorized),
		"missing":         status(http.StatusNotFound),
		"failing":         status(http.StatusInternalServerError),
		"always too much": status(http.StatusTooManyRequests),
		"without an answer": func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			return ringcentral.MessagePage{}, &ringcentral.Error{Err: errors.New("reset")}
		},
		"silent": func(ctx context.Context, _ ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			<-ctx.Done()
			return ringcentral.MessagePage{}, &ringcentral.Error{Err: ctx.Err()}
		},
		"a page that leads to itself": func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			return ringcentral.MessagePage{Records: []json.RawMessage{deleted(0)}}, refused(http.StatusOK, ringcentral.ErrSamePage)
		},
		"pages that repeat": func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			return ringcentral.MessagePage{Records: []json.RawMessage{deleted(0)}, Next: "7"}, nil
		},
		"pages that never end": func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
			pages++
			return ringcentral.MessagePage{Records: []json.RawMessage{deleted(pages)}, Next: strconv.Itoa(pages)}, nil
		},
	} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				f.list = list
				f.message = func(context.Context, string) (json.RawMessage, error) { return nil, refused(http.StatusNotFound, nil) }
				id := b.text(t, sandbox.MessageImport{})
				b.begin(t)
				time.Sleep(settle)
				require.Len(t, b.items(id), 1, "of the first round")
				time.Sleep(2 * time.Minute)
				b.comesIn(t)
				require.InDelta(t, 1, b.metric(t, "incomplete", "sms/messages"), 0)
				require.Positive(t, b.metric(t, "messages_unread_total", "deleted"))
				require.Equal(t, "map[]", b.health.all())

				tries := b.metric(t, "messages_unread_total", "deleted")
				time.Sleep(3 * time.Hour)
				require.LessOrEqual(t, b.metric(t, "messages_unread_total", "deleted")-tries, 10.0, "with a growing pause")
				b.comesIn(t)
				f.set(func() { f.list = nil })
				time.Sleep(time.Hour + time.Minute)
				require.InDelta(t, 0, b.metric(t, "incomplete", "sms/messages"), 0)
			})
		})
	}
}

func TestAPlainerListOfDeletedMessagesIsReadWhereTheOtherIsRefused(t *testing.T) {
	faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
		b.begin(t)
		time.Sleep(settle)
		id := b.comesIn(t)
		key := b.items(id)[0].Key
		f.set(func() {
			f.list = func(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
				if len(q.Availability) > 1 || q.PerPage > 100 {
					return ringcentral.MessagePage{}, refused(http.StatusBadRequest, nil)
				}
				return f.pollPlatform.Messages(ctx, q)
			}
		})
		b.remove(t, id)
		b.account.ExpireSyncTokens()
		time.Sleep(time.Minute)
		got := b.items(id)
		require.Len(t, got, 2)
		require.Equal(t, key, got[1].Key)
	})
}

// What a list that could not be read had to say comes when it can be, by the next owner
// too.
func TestADeletionIsFoundWhenTheListIsReadAgain(t *testing.T) {
	for fact, again := range map[string]bool{"by the same owner": false, "by the next": true} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				stop := b.begin(t)
				time.Sleep(settle)
				id := b.comesIn(t)
				f.set(func() {
					f.list = func(context.Context, ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
						return ringcentral.MessagePage{}, refused(http.StatusForbidden, nil)
					}
				})
				b.remove(t, id)
				b.account.ExpireSyncTokens()
				time.Sleep(2 * time.Minute)
				require.Len(t, b.items(id), 1)
				if again {
					stop()
				}
				f.set(func() { f.list = nil })
				if again {
					b.begin(t)
				}
				time.Sleep(5 * time.Minute)
				states := b.states(t, id)
				require.Equal(t, "Deleted", states[len(states)-1].Availability)
			})
		})
	}
}

func TestASingleMessageThatCannotBeReadHoldsUpNothing(t *testing.T) {
	for fact, c := range map[string]struct {
		message func(ctx context.Context, id string) (json.RawMessage, error)
		within  time.Duration
	}{
		"missing":     {func(context.Context, string) (json.RawMessage, error) { return nil, refused(404, nil) }, time.Minute},
		"forbidden":   {func(context.Context, string) (json.RawMessage, error) { return nil, refused(403, nil) }, time.Minute},
		"failing":     {func(context.Context, string) (json.RawMessage, error) { return nil, refused(500, nil) }, 2 * time.Minute},
		"unreadable":  {func(context.Context, string) (json.RawMessage, error) { return nil, refused(200, errors.New("x")) }, 2 * time.Minute},
		"another one": {func(context.Context, string) (json.RawMessage, error) { return json.RawMessage(`{"id":1}`), nil }, time.Minute},
		"no answer": {func(context.Context, string) (json.RawMessage, error) {
			return nil, &ringcentral.Error{Err: errors.New("reset")}
		}, 10 * time.Minute},
		"silent": {func(ctx context.Context, _ string) (json.RawMessage, error) {
			<-ctx.Done()
			return nil, &ringcentral.Error{Err: ctx.Err()}
		}, 15 * time.Minute},
	} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				stop := b.begin(t)
				time.Sleep(settle)
				id := b.comesIn(t)
				stop()
				f.set(func() { f.message = c.message })
				b.remove(t, id)
				b.begin(t)
				other := b.text(t, sandbox.MessageImport{})
				time.Sleep(settle)
				require.Len(t, b.items(other), 1)
				time.Sleep(c.within)
				got := b.items(id)
				require.Equal(t, id, got[len(got)-1].Key, "under its own id")
				require.Equal(t, "Deleted", b.states(t, id)[len(got)-1].Availability)
			})
		})
	}
}

func TestATokenThatLeadsNowhereHoldsUpNothing(t *testing.T) {
	type alter = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error)
	onToken := func(fault error) alter {
		return func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
			if q.Token != "" {
				return ringcentral.SyncAnswer{}, fault
			}
			return a, err
		}
	}
	for fact, c := range map[string]struct {
		alter  alter
		within time.Duration // until the newest come in again
	}{
		"refused as lost, always":      {onToken(refused(400, ringcentral.ErrSyncTokenLost)), 0},
		"an answer that is unreadable": {onToken(refused(200, errors.New("not a page"))), 5 * time.Minute},
		"failing":                      {onToken(refused(500, nil)), 5 * time.Minute},
		"forbidden":                    {onToken(refused(403, nil)), 5 * time.Minute},
		"without an answer":            {onToken(&ringcentral.Error{Err: errors.New("reset")}), 5 * time.Minute},
		"none is given": {func(_ ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
			a.Token = ""
			return a, err
		}, 0},
		"neither token nor time": {func(_ ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
			a.Token, a.Time = "", time.Time{}
			return a, err
		}, 0},
	} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				b.begin(t)
				time.Sleep(settle)
				time.Sleep(2 * time.Hour)
				b.comesIn(t)
				f.set(func() { f.sync = c.alter })
				time.Sleep(c.within)
				for range 5 {
					b.comesIn(t)
					time.Sleep(time.Minute)
				}
				far := f.far()
				time.Sleep(5 * time.Hour)
				if fact != "neither token nor time" { // then each reaches back to the newest row
					require.LessOrEqual(t, f.far()-far, 16, "full syncs that reach back, with sweeps")
				}
				b.comesIn(t)
			})
		})
	}
}
