package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/ringbridge/ringbridge/internal/health"
)

// Sides of the bridge.
const (
	sideIn   = "in"
	sideOut  = "out"
	sideBoth = "both"
)

// How bad a finding is.
const (
	bad  = "bad"  // work stands still, or may be lost
	warn = "warn" // it will, or is slow
)

// Bounds beyond which something is told. They are those of the alert rules, but
// for the times that an alert waits before it wakes somebody.
const (
	oldReply    = 10 * time.Minute
	slowReply   = 2 * time.Minute
	oldRound    = 30 * time.Minute
	slowRound   = 5 * time.Minute // where the API answers other calls
	oldHole     = time.Hour
	slowPublish = time.Minute
	oldSpool    = 30 * time.Minute
	expiresSoon = 48 * time.Hour
	fullBudget  = 90  // percent
	manyFail    = 0.2 // of the calls
)

// finding is something that is wrong, and what to do.
type finding struct {
	Level, Side   string
	What, Why, Do string
	Component     string    // as /readyz and the log name it; "" = it is no component's
	Since         time.Time // zero = not known
}

// findings returns what is wrong, the worst first.
func (c *Console) findings(s stretch) []finding {
	found := c.unwell()
	for _, look := range []func(stretch) []finding{webhookFindings, spoolFindings, pollFindings, publishFindings, replyFindings, apiFindings, limitFindings, subscriptionFindings} {
		found = append(found, look(s)...)
	}
	slices.SortStableFunc(found, func(a, b finding) int { return strings.Compare(a.Level, b.Level) })
	return found
}

// unwell is what the board of health says, and the stages that have ended.
func (c *Console) unwell() (found []finding) {
	level := bad
	if c.deps.Board.Ready() {
		level = warn // the most urgent work is done in spite of it
	}
	for _, reason := range c.deps.Board.Reasons() {
		side, do := advice(reason)
		found = append(found, finding{
			Level: level, Side: side, What: heading(reason.Component), Why: reason.Reason, Do: do, Component: reason.Component, Since: reason.Since,
		})
	}
	for _, stage := range c.deps.Stages() {
		if stage.State == Stopped {
			found = append(found, finding{
				Level: bad, Side: sideOf(stage.Name), What: stage.Name + " has stopped", Why: "This part of the process has ended.",
				Do: "The log says why. The process ends with it; if it does not, start it again: nothing is lost.",
			})
		}
	}
	return found
}

// heading tells in plain words what a component of the board stops.
func heading(component string) string {
	if stream, ok := strings.CutPrefix(component, "poll "); ok {
		return stream + " is not polled"
	}
	if api, ok := strings.CutPrefix(component, "replies."); ok {
		return "Replies through " + api + " wait"
	}
	known := map[string]string{
		"process":          "The process is not running yet, or not any more",
		"kafka":            "Kafka is out of reach",
		"topics":           "The topics are not as they must be",
		"schema_registry":  "The schema registry is out of reach",
		"publish/kafka":    "Events wait for Kafka",
		"publish/registry": "Events wait for the schema registry",
		"poll":             "Engage Digital is not polled",
		"spool":            "The disk for webhooks has trouble",
	}
	if plain, ok := known[component]; ok {
		return plain
	}
	return component
}

// advice says which side a reason of the board stops, and what to do.
func advice(r health.Reason) (side, do string) {
	side = sideOf(r.Component)
	last := r.Component[strings.LastIndex(r.Component, "/")+1:]
	switch {
	case strings.Contains(r.Reason, "credential"):
		return side, "Make a new token, or JWT, put it where the settings point, and start the process again. If the old one becomes valid again, it goes on by itself within a minute. Nothing is dropped meanwhile."
	case r.Component == "process":
		return side, "Wait a moment; the log says what it waits for."
	case last == "kafka":
		return side, "Bring the brokers back, or mend the way to them: the log names the address. It goes on by itself, and nothing is lost: commands wait on their topic, and RingCentral repeats webhooks."
	case last == "schema_registry" || last == "registry":
		return side, "Bring the schema registry back; SCHEMA_REGISTRY_URL says where it is sought. It goes on by itself."
	case last == "topics":
		return side, "Run `ringbridge topics check`: it says which topic is missing or set so that a guarantee breaks."
	case strings.HasPrefix(r.Component, "replies."):
		return side, "Look at RingCentral's status page. One probe at a time goes out, and it goes on by itself; commands wait, none is given up for it."
	case strings.HasPrefix(r.Component, "poll"):
		return side, "For a 403 give the token's user the permission; for another status check the address. It is tried once a minute. Webhooks and the other streams go on."
	case r.Component == "spool":
		return side, "Look at the disk under SPOOL_DIR: its space and its errors."
	}
	return side, "Run `ringbridge doctor` with the same settings: each failure says what to do."
}

// sideOf tells which side of the bridge a part works for.
func sideOf(component string) string {
	switch part, _, _ := strings.Cut(strings.NewReplacer("/", " ", ".", " ").Replace(component), " "); part {
	case "poll", "publish", "ingest", "webhook", "spool", "subscription":
		return sideIn
	case "replies", "consume":
		return sideOut
	}
	return sideBoth
}

func webhookFindings(s stretch) (found []finding) {
	if s.rate("ringbridge_webhook_requests_total", labels{"result": "unavailable|panicked"}) > 0 {
		found = append(found, finding{
			Level: bad, Side: sideIn, What: "Webhooks are refused", Why: "They are answered 503 or 500.",
			Do: "Bring Kafka back: without a spool webhooks are refused while it is away. RingCentral repeats them for hours, then switches the webhook off. Set SPOOL_DIR against the next time.",
		})
	}
	if s.rate("ringbridge_webhook_requests_total", labels{"result": "unauthorized"}) > 0 {
		found = append(found, finding{
			Level: warn, Side: sideIn, What: "Webhooks with a wrong secret", Why: "Requests to the webhook address carry a secret or token that is not ours.",
			Do: "If no webhook is accepted either, compare ENGAGE_WEBHOOK_SECRET, or RINGCENTRAL_WEBHOOK_TOKEN, with what is registered. Otherwise somebody tries the address: nothing of it is kept.",
		})
	}
	return found
}

func spoolFindings(s stretch) (found []finding) {
	oldest := s.to.time("ringbridge_spool_oldest_timestamp_seconds", nil)
	if s.to.most("ringbridge_spool_active", nil) == 0 {
		return nil
	}
	f := finding{
		Level: warn, Side: sideIn, What: "Webhooks go to the disk", Since: oldest,
		Why: fmt.Sprintf("Kafka is out of reach: %s wait in SPOOL_DIR.", plural(int(s.to.sum("ringbridge_spool_records", nil)), "record")),
		Do:  "Bring Kafka back. The spool takes 1 GiB; then webhooks are answered 503. Keep the disk: these webhooks are nowhere else.",
	}
	if !oldest.IsZero() && time.Since(oldest) > oldSpool {
		f.Level = bad
	}
	return []finding{f}
}

func pollFindings(s stretch) (found []finding) {
	s.to.each("ringbridge_poll_owned", nil, func(l labels, m *dto.Metric) {
		if valueOf(m) == 0 {
			return
		}
		stream := l["stream"]
		last := lastRound(s.to, stream)
		switch {
		case last.IsZero() || time.Since(last) < slowRound:
		case time.Since(last) >= oldRound:
			found = append(found, finding{
				Level: bad, Side: sideIn, What: "Not polled: " + stream, Since: last, Why: "What its webhooks miss is not found.",
				Do: "Look at the limits below: they may be spent. Otherwise the log says what the API or Kafka answers; a first round, or a sweep, may only have much to read.",
			})
		case failsAlone(s, stream):
			found = append(found, finding{
				Level: warn, Side: sideIn, What: "Nothing comes from " + stream, Since: last,
				Why: "Its list can't be read, though the API answers other calls. What its webhooks miss is not found.",
				Do:  "The log says what the API answers. It is tried again by itself; webhooks and the other streams go on. If it stays so, give the answer to RingCentral's support.",
			})
		}
		if since := s.to.time("ringbridge_poll_incomplete_since_timestamp_seconds", labels{"stream": stream}); !since.IsZero() && time.Since(since) >= oldHole {
			found = append(found, finding{
				Level: warn, Side: sideIn, What: "A part of " + stream + " can't be read", Since: since,
				Why: "The API does not give some rows of its list. The newest come in; those rows are missing unless webhooks have brought them.",
				Do:  "It is tried again once an hour at least, and nothing has to be done once the API gives them. The log has what it answers: `can't be read`. If it stays so, give the answer to RingCentral's support.",
			})
		}
	})
	return found
}

// lastRound returns when a stream's round last succeeded: the start of the process where only
// rounds that failed are known, zero where nothing is.
func lastRound(r reading, stream string) time.Time {
	last := r.time("ringbridge_poll_last_success_timestamp_seconds", labels{"stream": stream})
	if last.IsZero() && r.sum("ringbridge_poll_rounds_total", labels{"stream": stream}) > 0 {
		return r.time(processStart, nil)
	}
	return last
}

// failsAlone reports whether a stream's rounds fail while its API answers other calls.
func failsAlone(s stretch, stream string) bool {
	api := "platform"
	if strings.HasPrefix(stream, "engage/") {
		api = "engage"
	}
	return s.to.sum("ringbridge_poll_rounds_total", labels{"stream": stream, "result": "forbidden|refused|unavailable|moving"}) > 0 &&
		s.rate("ringbridge_api_requests_total", labels{"api": api, "status": "2xx"}) > 0
}

func publishFindings(s stretch) (found []finding) {
	if n := int(s.to.most(hanging, nil)); n > 0 {
		found = append(found, finding{
			Level: bad, Side: sideIn, What: "Transactions hang", Why: plural(n, "transaction") + " on the bridge's topics will never end: readers stop before them.",
			Do: "Run `ringbridge doctor`: it prints the command that ends them.",
		})
	}
	if slow := s.quantile(0.9, "ringbridge_publish_lag_seconds", nil); slow > slowPublish.Seconds() {
		found = append(found, finding{
			Level: warn, Side: sideIn, What: "Events are late", Why: "A tenth takes longer than " + took(slow) + " from receipt to topic.",
			Do: "After an outage, or during a replay, this is the backlog: wait. Otherwise look at the brokers, and start more replicas.",
		})
	}
	return found
}

func replyFindings(s stretch) []finding {
	oldest := s.to.time("ringbridge_replies_oldest_unfinished_timestamp_seconds", nil)
	if oldest.IsZero() || time.Since(oldest) < slowReply {
		return nil
	}
	f := finding{
		Level: warn, Side: sideOut, What: "Replies wait", Since: oldest, Why: "The oldest that is not finished is " + span(time.Since(oldest)) + " old.",
		Do: "See what it waits for under Stuck. Nothing is dropped; what has passed its not_after is given up as expired.",
	}
	if time.Since(oldest) > oldReply {
		f.Level = bad
	}
	return []finding{f}
}

// apiFindings tells an outage before a circuit opens, and one that polling alone
// meets.
func apiFindings(s stretch) (found []finding) {
	for _, api := range s.to.values("ringbridge_api_requests_total", "api") {
		all := s.rate("ringbridge_api_requests_total", labels{"api": api}) - s.rate("ringbridge_api_requests_total", labels{"api": api, "status": "unsent"})
		failed := s.rate("ringbridge_api_requests_total", labels{"api": api, "status": "5xx|none"})
		if !(failed > manyFail*all) {
			continue
		}
		f := finding{
			Level: warn, Side: sideBoth, What: "Calls to " + api + " fail", Why: fmt.Sprintf("%.0f %% of them got a 5xx, or no answer, in the last half minute.", failed/all*100),
			Do: "Look at RingCentral's status page, and at the way there. Webhooks still come in; replies and polling go on by themselves, and no command is given up while the API is down.",
		}
		if s.rate("ringbridge_api_requests_total", labels{"api": api, "status": "2xx"}) == 0 {
			f.What, f.Why = "Every call to "+api+" fails", "None has succeeded in the last half minute: 5xx, or no answer."
		}
		found = append(found, f)
	}
	return found
}

func limitFindings(s stretch) (found []finding) {
	for _, b := range budgetsOf(s) {
		switch {
		case b.Held():
			found = append(found, finding{
				Level: warn, Side: sideBoth, What: "No calls to " + b.Name(), Why: "The API has answered 429: calls go on " + ago(b.Hold) + ".",
				Do: "Wait. If it comes again and again, something else uses the same account's limit, or ours is set too high: lower ENGAGE_RATE or SMS_RATE.",
			})
		case b.Percent() >= fullBudget:
			found = append(found, finding{
				Level: warn, Side: sideBoth, What: "The limit of " + b.Name() + " is nearly spent", Why: fmt.Sprintf("%d %% of our part is used; replies go first, polling waits.", b.Percent()),
				Do: "End or slow a backfill; raise POLL_INTERVAL; ask RingCentral for a higher limit.",
			})
		}
	}
	return found
}

func subscriptionFindings(s stretch) (found []finding) {
	if s.to.most("ringbridge_subscription_silent", nil) == 1 {
		found = append(found, finding{
			Level: warn, Side: sideIn, What: "Notifications stay away", Why: "The platform has sent none for longer than is usual.",
			Since: s.to.time("ringbridge_subscription_last_notification_timestamp_seconds", nil),
			Do:    "Polling finds the messages meanwhile. Look whether /webhooks/ringcentral can be reached from outside; `ringbridge doctor` checks it.",
		})
	}
	if s.to.most("ringbridge_subscription_failing", nil) == 1 {
		found = append(found, finding{
			Level: warn, Side: sideIn, What: "The subscription is not kept", Why: "Its last check failed: the platform may send no notifications.",
			Do: "Look for `subscription not kept` in the log: it says why. Mostly RINGCENTRAL_WEBHOOK_URL does not answer the platform's challenge, or the application lacks a permission. Polling finds the messages meanwhile.",
		})
	}
	if at := s.to.time("ringbridge_subscription_expiry_timestamp_seconds", nil); !at.IsZero() && time.Until(at) < expiresSoon {
		found = append(found, finding{
			Level: warn, Side: sideIn, What: "The subscription expires " + ago(at), Why: "It should have been renewed.",
			Do: "Look for `subscription not kept` in the log, and mend what it says. Polling finds the messages meanwhile.",
		})
	}
	return found
}
