package console

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strconv"
)

// maxNews is how many moments a page takes at once; of more it tells the number.
const maxNews = 100

// flowView answers "what flows?".
type flowView struct {
	Starting bool
	Topics   []string
	Topic    string          // "" = all
	Rows     []template.HTML // the newest first
	Last     int             // number of the newest moment, to ask for what comes after
	Missed   int             // moments that came too fast to be shown, since the request before
	Dropped  int
	Fault    string
}

func (c *Console) flow(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	view := flowView{Starting: c.data.Load() == nil, Topics: feedTopics(), Topic: query.Get("topic")}
	if !slices.Contains(view.Topics, view.Topic) {
		view.Topic = ""
	}
	if !view.Starting {
		after, _ := strconv.Atoi(query.Get("after"))
		dropped, _ := strconv.Atoi(query.Get("dropped"))
		c.lookIn(&view, after, dropped)
	}
	c.page(w, r, "flow", "What flows?", view)
}

// lookIn fills the view with what came after a moment, the newest first.
func (c *Console) lookIn(view *flowView, after, dropped int) {
	news, last, allDropped, err := c.feed.look(after)
	if err != nil {
		view.Fault = err.Error()
	}
	if after > last { // the process has started anew
		after, dropped = 0, 0
	}
	view.Last, view.Dropped = last, allDropped
	if after > 0 {
		view.Missed = max(0, last-after-len(news)) + max(0, allDropped-dropped)
	}
	for _, m := range slices.Backward(news) {
		if view.Topic != "" && m.Topic != view.Topic {
			continue
		}
		if len(view.Rows) == maxNews {
			if after > 0 {
				view.Missed++
			}
			continue
		}
		view.Rows = append(view.Rows, c.row(m))
	}
}

// row is what pages show of a moment.
func (c *Console) row(m *numbered) template.HTML {
	m.once.Do(func() {
		var row bytes.Buffer
		if err := c.pages.templates["flow"].ExecuteTemplate(&row, "row", c.momentView(m.Moment)); err != nil {
			c.deps.Logger.Error("a moment can't be shown", "error", err)
		}
		m.row = template.HTML(row.String()) //nolint:gosec // a template has made it, and escaped what is in it
	})
	return m.row
}
