package poll

import (
	"log/slog"
	"time"
)

// trouble turns a stream's failures into one log line when they begin or change
// their kind, and one when they are over. Only its stream uses it.
//
// Readiness is marked for what an operator must mend and what leaves nothing else
// to do: an address that answers 404. A stream without permission (403) is one of
// several, and an outage of the API passes by itself: those are told by metrics.
// So is a refusal of Social Messaging, which few accounts have and which is on unless
// it is switched off: webhooks and text messages must not suffer from it.
type trouble struct {
	log    *slog.Logger
	health Health
	stream string
	check  string        // what to look at when the API refuses the request
	quiet  bool          // readiness does not depend on the stream
	metric func(float64) // halted

	now   result
	since time.Time
}

func (t *trouble) saw(r result, err error) {
	if r == t.now || t.now == "" && r == resultOK {
		return
	}
	t.clear()
	if r == resultOK {
		t.log.Info("stream goes on", "after", t.now, "trouble", time.Since(t.since))
		t.now = ""
		return
	}
	if t.now == "" {
		t.since = time.Now()
	}
	t.now = r
	switch r {
	case resultUnauthorized: // the gate tells
	case resultForbidden:
		t.metric(1)
		t.log.Error("stream halts: the access token may not list it", "error", err, "probe_interval", probeInterval)
	case resultRefused:
		t.metric(1)
		if !t.quiet {
			t.health.Set(t.component(), "RingCentral refuses to list "+t.stream+": check "+t.check)
		}
		t.log.Error("stream halts: the API refuses the request", "check", t.check, "error", err, "probe_interval", probeInterval)
	default:
		t.log.Warn("stream waits", "result", r, "error", err)
	}
}

// clear takes back what the trouble at hand has set.
func (t *trouble) clear() {
	t.metric(0)
	if t.now == resultRefused {
		t.health.Clear(t.component())
	}
}

func (t *trouble) component() string { return component + " " + t.stream }
