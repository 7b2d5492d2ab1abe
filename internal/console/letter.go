package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// readTimeout bounds what a page reads from Kafka: whoever waits longer asks again.
const readTimeout = 20 * time.Second

// letterView is one letter, whole.
type letterView struct {
	Starting, Gone bool
	Fault          string
	Source         letters.Source
	Position       letters.Position
	letters.Letter
	Value    string // decoded where it can be
	Headers  []header
	Attempts []schemas.ReplyResult
	// SendBack and Discard tell what can be done with it.
	SendBack, Discard bool
}

type header struct{ Name, Value string }

func (c *Console) letter(w http.ResponseWriter, r *http.Request) {
	view := letterView{}
	var known, placed bool
	view.Source, known = letters.ParseSource(r.PathValue("topic"))
	view.Position, placed = letters.ParsePosition(r.PathValue("partition") + "/" + r.PathValue("offset"))
	data := c.data.Load()
	switch {
	case !known || !placed:
		http.NotFound(w, r)
		return
	case data == nil:
		view.Starting = true
	default:
		c.showLetter(r.Context(), data.Letters, &view)
	}
	c.page(w, r, "letter", fmt.Sprintf("Letter %s of %s", view.Position, view.Source), view)
}

func (c *Console) showLetter(ctx context.Context, office Letters, view *letterView) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	view.Gone = true
	choice := letters.Choice{Source: view.Source, Which: []string{view.Position.String()}}
	err := office.Show(ctx, choice, func(whole letters.Whole) error {
		view.Gone = false
		view.Letter = whole.Letter
		view.Value = indented(c.masked(view.Source.Topic(), valueOfLetter(whole)))
		view.Attempts = whole.Results
		for _, h := range whole.Record.Headers {
			view.Headers = append(view.Headers, header{text(h.Key), c.headerValue(h.Key, string(h.Value))})
		}
		open := whole.State == letters.Waiting || whole.State == letters.Aside || whole.State == letters.Succeeded
		view.SendBack, view.Discard = whole.State == letters.Waiting, open
		return nil
	})
	if err != nil {
		view.Fault, view.Gone = err.Error(), false
	}
}

// valueOfLetter is the command, or the bytes as they came.
func valueOfLetter(whole letters.Whole) any {
	if whole.Command != nil {
		return whole.Command
	}
	var tree any
	decoder := json.NewDecoder(strings.NewReader(string(whole.Record.Value)))
	decoder.UseNumber()
	if decoder.Decode(&tree) == nil && !decoder.More() {
		return tree
	}
	return string(whole.Record.Value)
}

// masked hides what customers write where that is asked for.
func (c *Console) masked(topic string, record any) any {
	if c.deps.MaskText {
		return timeline.Mask(topic, record)
	}
	return record
}

// headerValue shows the headers that the bridge and the standards define; what
// else a producer writes there nobody knows, and it is masked with the rest.
func (c *Console) headerValue(name, value string) string {
	known := false
	for _, prefix := range []string{"__dlq.", "ringbridge.", "ce_", "traceparent", "content-type"} {
		known = known || strings.HasPrefix(name, prefix)
	}
	if c.deps.MaskText && !known {
		return maskedText
	}
	return text(value)
}

const maskedText = "(masked)"
