package console

import (
	"math"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// chart is a picture of the last hour.
type chart struct {
	ID, Title, Unit string
	// About says what is drawn, for who can't see it or doesn't know it.
	About  string
	points func(stretch, []Lag) []point
}

// point is a moment's value of one line.
type point struct {
	name  string
	value float64
}

// Units of charts; the script writes them behind the numbers.
const (
	unitRate    = "/s"
	unitSeconds = "s"
	unitCount   = ""
	unitPercent = "%"
)

// charts returns all of them, in the order of the page.
func charts() []chart {
	return []chart{
		{"in-rate", "Coming in", unitRate, "Events published; webhook events, and polled rows that were new or changed, most of which tell of the same.", func(s stretch, _ []Lag) []point {
			return []point{
				{"published", s.rate("ringbridge_publish_events_total", nil)},
				{"webhook events", s.rate("ringbridge_webhook_events_total", nil)},
				{"polled rows", s.rate("ringbridge_inbox_records_total", labels{"origin": "POLL", "result": "written"})},
			}
		}},
		{"out-rate", "Going out", unitRate, "Replies that succeeded, and that were given up, a second.", func(s stretch, _ []Lag) []point {
			return []point{
				{"succeeded", s.rate("ringbridge_replies_results_total", labels{"state": "succeeded|recovered"})},
				{"given up", s.rate("ringbridge_replies_results_total", labels{"state": "dead_lettered"})},
			}
		}},
		{"in-latency", "From receipt to topic", unitSeconds, "Time from the receipt of something to the commit of its event: half of them, and 99 of 100, are faster.", func(s stretch, _ []Lag) []point {
			return quantiles(s, "ringbridge_publish_lag_seconds", nil)
		}},
		{"out-latency", "Calls for replies", unitSeconds, "Duration of a call for a reply: half of them, and 99 of 100, are faster.", func(s stretch, _ []Lag) []point {
			return quantiles(s, "ringbridge_replies_attempt_duration_seconds", nil)
		}},
		{"behind", "Not done yet", unitCount, "Records that wait on the topics, and replies taken up and not finished.", behind},
		{"oldest", "Age of the oldest reply that is not finished", unitSeconds, "How long the oldest reply waits that is not finished.", func(s stretch, _ []Lag) []point {
			return []point{{"oldest reply", age(s.to)}}
		}},
		{"webhook-latency", "Answering webhooks", unitSeconds, "Time to answer a webhook: half of them, and 99 of 100, are faster.", func(s stretch, _ []Lag) []point {
			return quantiles(s, "ringbridge_webhook_request_duration_seconds", nil)
		}},
		{"budget", "API limits used", unitPercent, "Calls made, of those that our part of each rate limit allows.", func(s stretch, _ []Lag) (points []point) {
			for _, b := range budgetsOf(s) {
				if b.Limit > 0 {
					points = append(points, point{b.Name(), b.Used / b.Limit * 100})
				}
			}
			return points
		}},
	}
}

func quantiles(s stretch, name string, where labels) []point {
	return []point{{"half", s.quantile(0.5, name, where)}, {"99 of 100", s.quantile(0.99, name, where)}}
}

func behind(s stretch, lag []Lag) []point {
	points := []point{{"replies taken up", s.to.sum("ringbridge_replies_unfinished", nil)}}
	for _, l := range lag {
		points = append(points, point{"waiting on " + l.Topic, float64(l.Records)})
	}
	return points
}

// age is how long the oldest reply waits, in seconds; 0 = there is none.
func age(r reading) float64 {
	oldest := r.time("ringbridge_replies_oldest_unfinished_timestamp_seconds", nil)
	if oldest.IsZero() {
		return 0
	}
	return max(0, r.at.Sub(oldest).Seconds())
}

// budget is a rate limit of an API, as this process has it.
type budget struct {
	API, Group string
	Limit      float64 // calls a minute that are ours; 0 = no limit of our own
	Used       float64 // calls a minute, lately; NaN = not known yet
	Waiting    float64 // calls that wait for it now
	Hold       time.Time
}

// Name tells the budgets apart.
func (b budget) Name() string {
	if b.Group == "" || b.Group == "all" {
		return b.API
	}
	return b.API + " " + b.Group
}

// Held tells whether a penalty window is open: no call goes out.
func (b budget) Held() bool { return time.Now().Before(b.Hold) }

// Percent is how much of it is used; -1 = that can't be told.
func (b budget) Percent() int {
	if b.Limit <= 0 || math.IsNaN(b.Used) {
		return -1
	}
	return int(math.Round(b.Used / b.Limit * 100))
}

// UsedText, LimitText, LeftText and WaitingText are the numbers with their units.
func (b budget) UsedText() string {
	text := perMinute(b.Used)
	if b.Percent() >= 0 {
		text += " · " + strconv.Itoa(b.Percent()) + " %"
	}
	return text
}

// LimitText tells no limit in words.
func (b budget) LimitText() string {
	if b.Limit <= 0 {
		return "none of ours"
	}
	return perMinute(b.Limit)
}

// LeftText is what is not used.
func (b budget) LeftText() string {
	if b.Limit <= 0 {
		return "–"
	}
	return perMinute(max(0, b.Limit-b.Used))
}

// WaitingText counts the calls that wait.
func (b budget) WaitingText() string { return count(b.Waiting) }

func perMinute(rate float64) string {
	if math.IsNaN(rate) {
		return "–"
	}
	return count(rate) + "/min"
}

func budgetsOf(s stretch) (found []budget) {
	s.to.each("ringbridge_api_budget_calls_per_minute", nil, func(l labels, m *dto.Metric) {
		of := labels{"api": l["api"], "group": l["group"]}
		found = append(found, budget{
			API: l["api"], Group: l["group"], Limit: valueOf(m),
			Used:    s.rate("ringbridge_api_budget_used_calls_total", of) * 60,
			Waiting: s.to.sum("ringbridge_api_waiting_calls", of),
			Hold:    s.to.time("ringbridge_api_hold_until_timestamp_seconds", of),
		})
	})
	return found
}
