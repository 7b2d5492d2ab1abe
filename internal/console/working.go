package console

import (
	"math"
	"net/http"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// workingView answers "is it working?".
type workingView struct {
	State    string // good, warn or bad
	Ready    bool
	Starting bool
	Findings []finding
	In, Out  direction
	Circuits []circuit
	Streams  []stream
	Budgets  []budget
	Stages   []Stage
	Notify   notifications
	Charts   []summary
	Groups   []metricGroup
	At       time.Time
}

// direction is one side of the bridge at a glance.
type direction struct {
	State string // good, warn, bad or off
	Facts []fact
}

// fact is a number that is told large, and what it means.
type fact struct {
	Name, Value, Note string
	Level             string // "", warn or bad
	Link              string
}

// circuit is what stands between the replies and an API.
type circuit struct{ API, State string }

// stream is one that is polled.
type stream struct {
	Name, State string
	Last, Known time.Time
}

// notifications is the platform's subscription.
type notifications struct {
	Kept, Active, Silent bool
	Expires, Last        time.Time
}

func (c *Console) working(w http.ResponseWriter, r *http.Request) {
	now, _ := c.now.get(r.Context())
	s := c.history.stretch(now)
	view := workingView{
		State: "good", Ready: c.deps.Board.Ready(), Starting: c.data.Load() == nil, Findings: c.findings(s),
		Circuits: circuitsOf(now), Streams: streamsOf(now), Budgets: budgetsOf(s), Stages: c.deps.Stages(),
		Notify: notificationsOf(now), At: now.at,
	}
	if len(view.Findings) > 0 {
		view.State = view.Findings[0].Level
	}
	view.In = direction{State: c.sideState(sideIn, view.Findings), Facts: c.inFacts(s)}
	view.Out = direction{State: c.sideState(sideOut, view.Findings), Facts: c.outFacts(s)}
	if !isPart(r) {
		view.Charts, view.Groups = c.history.summaries(), metricGroups(now)
	}
	c.page(w, r, "working", map[string]string{"good": "Working", warn: "Trouble", bad: "Not working"}[view.State], view)
}

// sideState is that of the worst finding of the side; off where all its stages are.
func (c *Console) sideState(side string, findings []finding) string {
	running := slices.ContainsFunc(c.deps.Stages(), func(s Stage) bool { return sideOf(s.Name) == side && s.State != Off })
	if !running && c.data.Load() != nil {
		return "off"
	}
	for _, f := range findings { // the worst is first
		if f.Side == side || f.Side == sideBoth {
			return f.Level
		}
	}
	return "good"
}

func (c *Console) inFacts(s stretch) []fact {
	webhook := s.to.time("ringbridge_webhook_last_accepted_timestamp_seconds", nil)
	poll := s.to.time("ringbridge_poll_last_success_timestamp_seconds", nil)
	late := s.quantile(0.99, "ringbridge_publish_lag_seconds", nil)
	facts := []fact{
		{Name: "events published", Value: perSecond(s.rate("ringbridge_publish_events_total", nil))},
		{Name: "in the inbox", Value: c.waiting("inbox"), Note: "records not yet published, marks of transactions among them"},
		{Name: "receipt to topic", Value: took(late), Note: "99 of 100 are faster"},
		{Name: "last webhook", Value: ago(webhook), Note: clock(webhook)},
		{Name: "last poll", Value: ago(poll), Note: clock(poll)},
	}
	if n := s.to.sum("ringbridge_publish_repaired_events_total", nil); n > 0 {
		facts = append(facts, fact{Name: "found by polling", Value: count(n), Note: "only, since the start: webhooks lost or late"})
	}
	if s.to.most("ringbridge_spool_active", nil) > 0 {
		facts = append(facts, fact{Name: "on disk", Value: count(s.to.sum("ringbridge_spool_records", nil)), Note: "webhooks that wait for Kafka", Level: warn})
	}
	return c.withLetters(facts, letters.Inbox)
}

func (c *Console) outFacts(s stretch) []fact {
	oldest := fact{Name: "oldest unfinished", Value: "none", Link: "/stuck"}
	if at := s.to.time("ringbridge_replies_oldest_unfinished_timestamp_seconds", nil); !at.IsZero() {
		old := time.Since(at)
		oldest.Value, oldest.Note = span(old), "since "+clock(at)
		switch {
		case old > oldReply:
			oldest.Level = bad
		case old > slowReply:
			oldest.Level = warn
		}
	}
	facts := []fact{
		{Name: "replies done", Value: perSecond(s.rate("ringbridge_replies_results_total", labels{"state": "succeeded|recovered"}))},
		{Name: "on the topic", Value: c.waiting("replies"), Note: "commands without a result"},
		oldest,
		{Name: "call", Value: took(s.quantile(0.99, "ringbridge_replies_attempt_duration_seconds", nil)), Note: "99 of 100 are faster"},
		{Name: "conversations", Value: count(s.to.sum("ringbridge_replies_conversations_waiting", nil)), Note: "with unfinished commands", Link: "/stuck"},
	}
	if n := s.to.sum("ringbridge_replies_in_doubt", nil); n > 0 {
		facts = append(facts, fact{Name: "in doubt", Value: count(n), Note: "being looked up: may have been sent", Level: warn})
	}
	return c.withLetters(facts, letters.Replies)
}

// withLetters adds how many dead letters wait for somebody to decide.
func (c *Console) withLetters(facts []fact, source letters.Source) []fact {
	data := c.data.Load()
	if data == nil || data.Shelf == nil {
		return facts
	}
	open := c.tallies.of(data.Shelf, letters.Choice{Source: source, States: openStates()})
	f := fact{Name: "given up", Value: count(open.byReason.Total()), Note: "letters that wait for a decision", Link: "/letters?topic=" + string(source)}
	if !open.complete {
		f.Note = "letters, still being counted"
	}
	return append(facts, f)
}

// waiting is how many records of a topic wait, as the history last knew.
func (c *Console) waiting(topic string) string {
	h := c.history
	h.mu.Lock()
	defer h.mu.Unlock()
	values := h.columns[column{"behind", "waiting on " + topic}]
	if len(values) == 0 || math.IsNaN(float64(values[len(values)-1])) {
		return "–"
	}
	return count(float64(values[len(values)-1]))
}

// clock tells the time of a moment; with the day where it is not today's.
func clock(at time.Time) string {
	switch {
	case at.IsZero():
		return "not since the start"
	case time.Since(at) < 12*time.Hour:
		return at.UTC().Format("15:04:05 UTC")
	}
	return utc(at)
}

// circuitsOf leaves out those of APIs that are switched off.
func circuitsOf(r reading) (found []circuit) {
	on := map[bool]bool{} // by whether the API is Engage's
	r.each("ringbridge_api_budget_calls_per_minute", nil, func(l labels, _ *dto.Metric) { on[l["api"] == "engage"] = true })
	r.each("ringbridge_replies_circuit", nil, func(l labels, m *dto.Metric) {
		if valueOf(m) == 1 && on[l["api"] == "engage"] {
			found = append(found, circuit{l["api"], l["state"]})
		}
	})
	return found
}

func streamsOf(r reading) (found []stream) {
	r.each("ringbridge_poll_owned", nil, func(l labels, m *dto.Metric) {
		of := labels{"stream": l["stream"]}
		s := stream{
			Name: l["stream"], State: "polled here",
			Last: r.time("ringbridge_poll_last_success_timestamp_seconds", of), Known: r.time("ringbridge_poll_known_timestamp_seconds", of),
		}
		switch {
		case valueOf(m) == 0:
			s.State = "polled by another replica"
		case r.most("ringbridge_poll_halted", of) == 1:
			s.State = "refused by the API"
		}
		found = append(found, s)
	})
	return found
}

func notificationsOf(r reading) notifications {
	return notifications{
		Kept: r.has("ringbridge_subscription_active"), Active: r.most("ringbridge_subscription_active", nil) == 1,
		Silent:  r.most("ringbridge_subscription_silent", nil) == 1,
		Expires: r.time("ringbridge_subscription_expiry_timestamp_seconds", nil),
		Last:    r.time("ringbridge_subscription_last_notification_timestamp_seconds", nil),
	}
}
