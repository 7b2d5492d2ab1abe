package subscribe_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/ingest/subscribe"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// fakePlatform keeps subscriptions in memory, and shows and refuses them as it is set to.
type fakePlatform struct {
	mu    sync.Mutex
	subs  []ringcentral.Subscription
	made  int
	calls []string // those that change something, and GETs of one

	spoil  error                                                                    // instead of the answer to an update or a renewal that was made
	life   time.Duration                                                            // that is granted
	show   func(s *ringcentral.Subscription)                                        // what is made of each
	refuse func(call string, filters []string) error                                // nil = never
	list   func(all []ringcentral.Subscription) ([]ringcentral.Subscription, error) // nil = as they are
}

func (f *fakePlatform) change(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

func (f *fakePlatform) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

func (f *fakePlatform) all() []ringcentral.Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.subs)
}

func (f *fakePlatform) view(s ringcentral.Subscription) ringcentral.Subscription {
	s.EventFilters = slices.Clone(s.EventFilters)
	if f.show != nil {
		f.show(&s)
	}
	return s
}

func (f *fakePlatform) Subscriptions(context.Context) ([]ringcentral.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var shown []ringcentral.Subscription
	for _, s := range f.subs {
		shown = append(shown, f.view(s))
	}
	if f.list != nil {
		return f.list(shown)
	}
	return shown, nil
}

func (f *fakePlatform) Subscription(_ context.Context, id string) (ringcentral.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "get")
	for _, s := range f.subs {
		if s.ID == id {
			return f.view(s), nil
		}
	}
	return ringcentral.Subscription{}, refusal(http.StatusNotFound, nil)
}

func (f *fakePlatform) Subscribe(_ context.Context, n ringcentral.NewSubscription) (ringcentral.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("create", n.EventFilters); err != nil {
		return ringcentral.Subscription{}, err
	}
	f.made++
	s := ringcentral.Subscription{ID: fmt.Sprint("s", f.made), Status: ringcentral.SubscriptionActive, EventFilters: n.EventFilters}
	s.CreationTime.Time = time.Now()
	s.DeliveryMode.TransportType, s.DeliveryMode.Address = "WebHook", n.Address
	f.grant(&s)
	f.subs = append(f.subs, s)
	return f.view(s), nil
}

func (f *fakePlatform) UpdateSubscription(_ context.Context, id string, filters []string) (ringcentral.Subscription, error) {
	return f.alter("update", id, filters, func(s *ringcentral.Subscription) { s.EventFilters = filters })
}

func (f *fakePlatform) RenewSubscription(_ context.Context, id string) (ringcentral.Subscription, error) {
	return f.alter("renew", id, nil, func(*ringcentral.Subscription) {})
}

func (f *fakePlatform) alter(call, id string, filters []string, how func(*ringcentral.Subscription)) (ringcentral.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called(call, filters); err != nil {
		return ringcentral.Subscription{}, err
	}
	for i := range f.subs {
		if s := &f.subs[i]; s.ID == id {
			how(s)
			f.grant(s)
			if f.spoil != nil {
				return ringcentral.Subscription{}, f.spoil
			}
			return f.view(*s), nil
		}
	}
	return ringcentral.Subscription{}, refusal(http.StatusNotFound, nil)
}

func (f *fakePlatform) DeleteSubscription(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.called("delete", nil); err != nil {
		return err
	}
	f.subs = slices.DeleteFunc(f.subs, func(s ringcentral.Subscription) bool { return s.ID == id })
	return nil
}

func (f *fakePlatform) called(call string, filters []string) error {
	f.calls = append(f.calls, call)
	if f.refuse == nil {
		return nil
	}
	return f.refuse(call, filters)
}

func (f *fakePlatform) grant(s *ringcentral.Subscription) {
	life := f.life
	if life == 0 {
		life = 7 * 24 * time.Hour
	}
	s.ExpirationTime.Time, s.ExpiresIn = time.Now().Add(life), int64(life/time.Second)
}

func refusal(status int, cause error) error {
	return &ringcentral.Error{Op: "subscription", Status: status, Outcome: ringcentral.Refused, Err: cause}
}

// scripted is a keeper of a fakePlatform, on fake time.
type scripted struct {
	*fakePlatform

	address string
	every   time.Duration // from check to check
	reg     *prometheus.Registry
	log     *logBook
}

// logBook keeps the messages of the log.
type logBook struct {
	slog.Handler

	mu    sync.Mutex
	lines []string
}

func (l *logBook) Enabled(context.Context, slog.Level) bool { return true }

func (l *logBook) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.lines = append(l.lines, line)
	return nil
}

func (l *logBook) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.lines), func(line string) bool { return !strings.Contains(line, text) })
}

func fakeBubble(t *testing.T, test func(t *testing.T, s *scripted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, &scripted{fakePlatform: &fakePlatform{}, address: address, every: time.Second})
	})
}

func (s *scripted) begin(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s.reg, s.log = prometheus.NewRegistry(), &logBook{}
	k := subscribe.New(subscribe.Deps{
		Platform: s.fakePlatform, Token: "token", ContentsPath: ringcentral.SocialMessaging, Registerer: s.reg, Logger: slog.New(s.log),
	}, subscribe.Config{URL: s.address, Interval: s.every})
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	time.Sleep(time.Second / 2)
	return stop
}
