package subscribe_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/subscribe"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestAnAddressIsComparedByItsMeaning(t *testing.T) {
	const ours = "https://Hooks.Example.com/webhooks/ring%63entral"
	for shown, same := range map[string]bool{
		"https://hooks.example.com/webhooks/ringcentral":         true,
		"HTTPS://hooks.example.com:443/webhooks/ringcentral/":    true,
		"https://hooks.example.com./webhooks/./x/../ringcentral": true,
		"https://hooks.example.com/webhooks/%72ingcentral":       true,
		"http://hooks.example.com/webhooks/ringcentral":          false,
		"https://hooks.example.com:8443/webhooks/ringcentral":    false,
		"https://hooks.example.com/webhooks/ringcentral?a=1":     false,
		"https://hooks.example.com/webhooks/RingCentral":         false,
		"https://hooks.example.com/webhooks%2Fringcentral":       false,
		"https://other.example.com/webhooks/ringcentral":         false,
		"": false,
	} {
		require.Equal(t, same, subscribe.SameAddress(ours, shown), shown)
	}
	require.True(t, subscribe.SameAddress("https://h/x?b=2&a=1", "https://h/x?a=1&b=2"))
	require.True(t, subscribe.SameAddress("https://[::1]:443/", "https://[::1]"))
}

// Whatever the platform makes of what was asked for, there is one subscription, and it is
// asked for once.
func TestASubscriptionThatIsShownInAnotherWayIsLeftAsItIs(t *testing.T) {
	each := func(how func(string) string) func(*ringcentral.Subscription) {
		return func(s *ringcentral.Subscription) {
			for i, f := range s.EventFilters {
				s.EventFilters[i] = how(f)
			}
		}
	}
	for fact, c := range map[string]struct {
		show    func(s *ringcentral.Subscription)
		updates int // over a restart
	}{
		"the host in lower case, and a slash": {func(s *ringcentral.Subscription) {
			s.DeliveryMode.Address = strings.ToLower(s.DeliveryMode.Address) + "/"
		}, 0},
		"filters in another order": {func(s *ringcentral.Subscription) { slices.Reverse(s.EventFilters) }, 0},
		"real ids": {each(func(f string) string {
			return strings.NewReplacer("account/~", "account/1", "extension/~", "extension/2").Replace(f)
		}), 0},
		"an added parameter, before ours": {each(func(f string) string { return strings.Replace(f, "?", "?direction=Inbound&", 1) }), 0},
		"the host before each filter":     {each(func(f string) string { return "https://platform.example" + f }), 0},
		"without what is disabled": {func(s *ringcentral.Subscription) {
			s.DisabledFilters = nil
			for _, f := range s.EventFilters[2:] {
				s.DisabledFilters = append(s.DisabledFilters, ringcentral.DisabledFilter{Filter: f, Reason: "SUB-412"})
			}
			s.EventFilters = s.EventFilters[:2]
		}, 0},
		"less than was asked for":     {func(s *ringcentral.Subscription) { s.EventFilters = s.EventFilters[:2] }, 1},
		"words that nobody can guess": {each(func(f string) string { return "x" + f }), 1},
		"no expiry":                   {func(s *ringcentral.Subscription) { s.ExpirationTime.Time, s.ExpiresIn = time.Time{}, 0 }, 0},
		"an expiry long ago":          {func(s *ringcentral.Subscription) { s.ExpirationTime.Time, s.ExpiresIn = time.Unix(1, 0), 0 }, 0},
	} {
		t.Run(fact, func(t *testing.T) {
			fakeBubble(t, func(t *testing.T, s *scripted) {
				s.address = "https://Hooks.Example.com/webhooks/ringcentral"
				s.show = c.show
				stop := s.begin(t)
				time.Sleep(2 * time.Minute)
				require.Equal(t, []int{1, 0, 0}, []int{s.count("create"), s.count("update"), s.count("renew")})
				disabled := s.log.with("does not serve")
				require.LessOrEqual(t, len(disabled), 3, "each once")
				stop()
				s.begin(t)
				time.Sleep(2 * time.Minute)
				require.Equal(t, []int{1, c.updates}, []int{s.count("create"), s.count("update")})
				require.LessOrEqual(t, s.count("renew"), 1, "of an unknown expiry, once a start")
				require.InDelta(t, 1, gauge(t, s, "active"), 0)
			})
		})
	}
}

func gauge(t *testing.T, s *scripted, name string) float64 {
	t.Helper()
	families, err := s.reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "ringbridge_subscription_"+name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	require.Fail(t, "no such metric", name)
	return 0
}

func TestFiltersChangedByHandAreReplaced(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.begin(t)
		time.Sleep(2 * time.Second)
		s.change(func() { s.subs[0].EventFilters = s.subs[0].EventFilters[:1] })
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, s.count("update"))
		require.Len(t, s.all()[0].EventFilters, 5)
	})
}

func TestALifeIsRenewedWhenHalfOfItIsOver(t *testing.T) {
	const day = 24 * time.Hour
	for fact, c := range map[string]struct {
		life time.Duration
		show func(s *ringcentral.Subscription)
		over time.Duration
		want int
	}{
		"a week":                      {7 * day, nil, 8 * day, 2},
		"a day, whatever was asked":   {day, nil, 5*day + time.Hour, 10},
		"a quarter of an hour":        {15 * time.Minute, nil, time.Hour, 7},
		"less than can be kept up":    {time.Minute, nil, time.Hour, 29},
		"unknown":                     {7 * day, func(s *ringcentral.Subscription) { s.ExpirationTime.Time, s.ExpiresIn = time.Time{}, 0 }, 5*day + time.Hour, 5},
		"told in seconds only":        {day, func(s *ringcentral.Subscription) { s.ExpirationTime.Time = time.Time{} }, 2*day + time.Hour, 4},
		"told by a clock that is old": {day, func(s *ringcentral.Subscription) { s.ExpirationTime.Time = s.ExpirationTime.Add(-365 * day) }, 2*day + time.Hour, 4},
	} {
		t.Run(fact, func(t *testing.T) {
			fakeBubble(t, func(t *testing.T, s *scripted) {
				s.life, s.show, s.every = c.life, c.show, time.Minute
				s.begin(t)
				time.Sleep(c.over)
				require.InDelta(t, c.want, s.count("renew"), 1)
				require.Equal(t, 1, s.count("create"))
			})
		})
	}
}

func TestAShortLifeIsKnownAfterARestart(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.life, s.every = 24*time.Hour, time.Minute
		s.begin(t)()
		time.Sleep(time.Hour)
		s.begin(t)
		time.Sleep(10*time.Hour + 50*time.Minute)
		require.Zero(t, s.count("renew"))
		time.Sleep(20 * time.Minute)
		require.Equal(t, 1, s.count("renew"))
	})
}

const messages = 2 // filters of them

func TestAFilterThatIsRefusedIsLeftOut(t *testing.T) {
	contents := func(f string) bool { return strings.Contains(f, "/contents/") }
	for fact, c := range map[string]struct {
		bad   func(filter string) bool
		name  func(bad []string) []string // in the refusal
		want  int                         // filters
		calls int
	}{
		"one by one, as they are named":    {contents, func(bad []string) []string { return bad[:1] }, messages, 4},
		"all that are named in a sentence": {contents, func(bad []string) []string { return []string{"Not taken: [" + strings.Join(bad, ", ") + "]."} }, messages, 2},
		"named with real ids": {
			func(f string) bool { return strings.Contains(f, "/instant") },
			func(bad []string) []string { return []string{strings.ReplaceAll(bad[0], "~", "123456")} }, 4, 2,
		},
		"a group that is not named":     {contents, nil, messages, 5},
		"one of many that is not named": {func(f string) bool { return strings.HasSuffix(f, "/Exported") }, nil, 4, 5},
		"the first, not named":          {func(f string) bool { return strings.Contains(f, "/instant") }, nil, 4, 5},
	} {
		t.Run(fact, func(t *testing.T) {
			fakeBubble(t, func(t *testing.T, s *scripted) {
				s.every = 20 * time.Second
				s.refuse = refuseFilters(c.bad, c.name)
				s.begin(t)
				time.Sleep(2 * time.Minute)
				require.Len(t, s.all(), 1)
				require.Len(t, s.all()[0].EventFilters, c.want)
				require.LessOrEqual(t, s.count("create")+s.count("update"), c.calls)
				require.InDelta(t, 5-c.want, gauge(t, s, "filters_refused"), 0)
				require.InDelta(t, 0, gauge(t, s, "failing"), 0)
				warnings := s.log.with("refuses event filters")
				require.Len(t, warnings, 1)

				calls := s.count("create") + s.count("update")
				time.Sleep(23 * time.Hour)
				require.Equal(t, calls, s.count("create")+s.count("update"))
				s.change(func() { s.refuse = nil })
				time.Sleep(2 * time.Hour)
				require.Len(t, s.all()[0].EventFilters, 5, "tried again once a day")
				require.InDelta(t, 0, gauge(t, s, "filters_refused"), 0)
			})
		})
	}
}

// refuseFilters refuses lists that hold a bad filter; name = nil names none.
func refuseFilters(bad func(string) bool, name func([]string) []string) func(string, []string) error {
	return func(_ string, filters []string) error {
		found := slices.DeleteFunc(slices.Clone(filters), func(f string) bool { return !bad(f) })
		if len(found) == 0 {
			return nil
		}
		cause := &ringcentral.FilterError{}
		if name != nil {
			cause.Named = name(found)
		}
		return refusal(http.StatusBadRequest, cause)
	}
}

func TestAFilterThatIsRefusedLaterStopsNothing(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.begin(t)()
		s.change(func() {
			s.subs[0].EventFilters = s.subs[0].EventFilters[:1]
			s.refuse = refuseFilters(func(f string) bool { return strings.HasSuffix(f, "/Imported") }, nil)
		})
		s.begin(t)
		time.Sleep(2 * time.Hour)
		require.Len(t, s.all()[0].EventFilters, 4)
		require.InDelta(t, 1, gauge(t, s, "active"), 0)
	})
}

// The bound holds whatever the platform answers.
func TestNoAnswerBringsAboutMoreThanSixChangesAnHour(t *testing.T) {
	never := func(string) bool { return true }
	for fact, set := range map[string]func(s *scripted){
		"nothing is ever listed": func(s *scripted) {
			s.list = hidden
			s.show = func(v *ringcentral.Subscription) { v.ID += fmt.Sprint(time.Now().Unix()) }
		},
		"every creation fails": func(s *scripted) {
			s.refuse = func(string, []string) error { return refusal(http.StatusBadRequest, nil) }
		},
		"every list of filters":         func(s *scripted) { s.refuse = refuseFilters(never, nil) },
		"every list, and all are named": func(s *scripted) { s.refuse = refuseFilters(never, func(bad []string) []string { return bad }) },
		"each is given up at once": func(s *scripted) {
			s.show = func(v *ringcentral.Subscription) { v.Status = ringcentral.SubscriptionBlacklisted }
		},
		"the filters change all the time": func(s *scripted) {
			n := 0
			s.show = func(v *ringcentral.Subscription) { n++; v.EventFilters = []string{fmt.Sprint("/x/", n)} }
		},
	} {
		t.Run(fact, func(t *testing.T) {
			fakeBubble(t, func(t *testing.T, s *scripted) {
				set(s)
				s.every = 10 * time.Second
				s.begin(t)
				for hour := 1; hour <= 5; hour++ {
					time.Sleep(time.Hour - 5*time.Second)
					require.LessOrEqual(t, s.count("create")+s.count("update"), 6*hour)
					require.LessOrEqual(t, s.count("renew"), 30*hour)
				}
				require.Positive(t, s.count("create"))
			})
		})
	}
}

func hidden([]ringcentral.Subscription) ([]ringcentral.Subscription, error) { return nil, nil }

func TestASubscriptionThatTheListLacksIsAskedForByItsID(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.list = hidden
		s.begin(t)
		time.Sleep(time.Hour)
		require.Equal(t, 1, s.count("create"))
		require.InDelta(t, 1, gauge(t, s, "active"), 0)
		s.change(func() { s.subs = nil })
		time.Sleep(2 * time.Second)
		require.Equal(t, 2, s.count("create"))
	})
}

func TestASubscriptionIsKnownByItsIDWhateverItsAddress(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.show = func(v *ringcentral.Subscription) { v.DeliveryMode.Address = "" }
		s.begin(t)
		time.Sleep(time.Hour)
		require.Equal(t, 1, s.count("create"))
	})
}

func TestTwinsThatCannotBeDeletedStopNothing(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.begin(t)()
		s.change(func() {
			for i := range 25 {
				twin := s.subs[0]
				twin.ID, twin.DeliveryMode.Address = fmt.Sprint("twin", i), "HTTP://BRIDGE:80/webhooks/ringcentral/"
				s.subs = append(s.subs, twin)
			}
			s.refuse = func(string, []string) error { return refusal(http.StatusInternalServerError, nil) }
		})
		s.begin(t)
		time.Sleep(time.Hour)
		require.InDelta(t, 1, gauge(t, s, "active"), 0)
		require.InDelta(t, 0, gauge(t, s, "failing"), 0)
		require.LessOrEqual(t, s.count("delete"), 10)
		s.change(func() { s.refuse = nil })
		time.Sleep(time.Hour)
		require.Len(t, s.all(), 1)
		n, err := testutil.GatherAndCount(s.reg, "ringbridge_subscription_changes_total")
		require.NoError(t, err)
		require.Positive(t, n)
	})
}

func TestAnAnswerThatCannotBeReadIsASuccess(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.life, s.every = 24*time.Hour, time.Minute
		s.begin(t)
		time.Sleep(time.Hour)
		s.change(func() {
			s.subs[0].EventFilters = s.subs[0].EventFilters[:1]
			s.spoil = &ringcentral.Error{Status: http.StatusOK, Err: errors.New("not a JSON object")}
		})
		time.Sleep(24 * time.Hour)
		require.Equal(t, 1, s.count("update"))
		require.InDelta(t, 2, s.count("renew"), 1)
		require.InDelta(t, 0, gauge(t, s, "failing"), 0)
	})
}

func TestASubscriptionThatIsListedTwiceIsNoTwin(t *testing.T) {
	fakeBubble(t, func(t *testing.T, s *scripted) {
		s.list = func(all []ringcentral.Subscription) ([]ringcentral.Subscription, error) {
			return append(all, all...), nil
		}
		s.begin(t)
		time.Sleep(time.Minute)
		require.Zero(t, s.count("delete"))
	})
}
