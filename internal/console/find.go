package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// maxFinds searches read Kafka at once; who comes then is told to try again.
	maxFinds = 2
	// defaultSince is how far a search reads back unless it is told to go further.
	defaultSince = "24h"
)

// findView answers "what happened to this?".
type findView struct {
	Starting bool
	Q, Since string
	Spans    []spanChoice
	Fault    string
	Searched bool
	Story    timeline.Story
	Moments  []momentView
	Took     time.Duration
}

type spanChoice struct{ Value, Name string }

// momentView is a moment as pages show it.
type momentView struct {
	timeline.Moment
	JSON string
}

// Look is how the moment is marked: by its kind, and what was given up stands out.
func (m momentView) Look() string {
	record, _ := m.Record.(map[string]any)
	if m.Kind == timeline.Result && record["state"] == string(schemas.ReplyStateDeadLettered) {
		return string(timeline.Letter)
	}
	return string(m.Kind)
}

// More tells of what else the moment is, to go on from.
func (m momentView) More() (ids []string) {
	for _, id := range []string{m.Conversation, m.CommandID, m.ResourceID} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *Console) find(w http.ResponseWriter, r *http.Request) {
	data := c.data.Load()
	view := findView{
		Starting: data == nil, Q: r.URL.Query().Get("q"), Since: r.URL.Query().Get("since"),
		Spans: []spanChoice{{"1h", "1 hour"}, {"24h", "24 hours"}, {"7d", "7 days"}, {"", "all that is kept"}},
	}
	if !r.URL.Query().Has("since") {
		view.Since = defaultSince
	}
	if q := strings.TrimSpace(view.Q); q != "" && data != nil {
		c.search(r.Context(), data.Timeline, q, &view)
	}
	c.page(w, r, "find", "What happened to this?", view)
}

// search fills the view with the story.
func (c *Console) search(ctx context.Context, t Timeline, q string, view *findView) {
	since, err := bound(c.deps.ParseTime, view.Since, time.Now())
	if err != nil {
		view.Fault = err.Error()
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	select {
	case c.finds <- struct{}{}:
		defer func() { <-c.finds }()
	case <-ctx.Done():
		view.Fault = "other searches are at work: try again in a moment"
		return
	}
	begun := time.Now()
	view.Story, err = t.Find(ctx, timeline.Query{ID: q, Since: since})
	view.Took = time.Since(begun)
	if err != nil {
		view.Fault = "the topics can't be read now: " + err.Error()
		return
	}
	view.Searched = true
	for _, moment := range view.Story.Moments {
		view.Moments = append(view.Moments, c.momentView(moment))
	}
}

func (c *Console) momentView(m timeline.Moment) momentView {
	return momentView{Moment: m, JSON: indented(c.masked(m.Topic, m.Record))}
}
