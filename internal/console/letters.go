package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
)

// lettersAPage is how many lines a page of letters has.
const lettersAPage = 100

// filter is a choice of letters as its form writes it.
type filter struct {
	Topic, Reason, State, Since, Until, Conversation string
}

// What the form's state may be besides the states themselves.
const (
	stateOpen = "open" // waits for somebody to decide
	stateAny  = "any"
)

func filterOf(values url.Values) filter {
	f := filter{
		Topic: values.Get("topic"), Reason: values.Get("reason"), State: values.Get("state"),
		Since: values.Get("since"), Until: values.Get("until"), Conversation: values.Get("conversation"),
	}
	if f.Topic == "" {
		f.Topic = string(letters.Replies)
	}
	if f.State == "" {
		f.State = stateOpen
	}
	return f
}

// choice is what the filter means at a time. The error is for who has written it.
func (f filter) choice(parse TimeFunc, now time.Time) (c letters.Choice, err error) {
	var known bool
	if c.Source, known = letters.ParseSource(f.Topic); !known {
		return c, errors.New("there are letters of replies and of inbox")
	}
	if f.Reason != "" {
		if !slices.Contains(deadletter.Reasons(), deadletter.Reason(f.Reason)) {
			return c, errors.New("there is no such reason")
		}
		c.Reasons = []deadletter.Reason{deadletter.Reason(f.Reason)}
	}
	switch state := letters.State(f.State); {
	case f.State == stateOpen:
		c.States = openStates()
	case f.State == stateAny:
	case slices.Contains(allStates(), state):
		c.States = []letters.State{state}
	default:
		return c, errors.New("there is no such state")
	}
	c.Conversation = f.Conversation
	if c.Since, err = bound(parse, f.Since, now); err == nil {
		c.Until, err = bound(parse, f.Until, now)
	}
	return c, err
}

// TimeFunc reads a time, or how long ago, as the command line does.
type TimeFunc func(text string, now time.Time) (time.Time, error)

func bound(parse TimeFunc, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := parse(text, now)
	if err != nil {
		return at, errors.New("write a time as 2026-01-02T15:04:05Z, or how long ago as 90m, 6h or 3d")
	}
	return at, nil
}

// openStates are those of letters that wait for somebody to decide.
func openStates() []letters.State { return []letters.State{letters.Waiting, letters.Aside} }

func allStates() []letters.State {
	return []letters.State{letters.Waiting, letters.Aside, letters.Redriven, letters.Succeeded, letters.Discarded}
}

// query is the address of the same letters, changed as the pairs say.
func (f filter) query(pairs ...string) string {
	values := url.Values{"topic": {f.Topic}, "reason": {f.Reason}, "state": {f.State}, "since": {f.Since}, "until": {f.Until}, "conversation": {f.Conversation}}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	for name := range values {
		if values.Get(name) == "" {
			values.Del(name)
		}
	}
	return "/letters?" + values.Encode()
}

// With is the address with another reason.
func (f filter) With(reason deadletter.Reason) string { return f.query("reason", string(reason)) }

// lettersView answers "what was given up?".
type lettersView struct {
	filter
	Starting, Complete bool
	Fault              string // of the filter
	Lines              []letters.Line
	Matching           int
	ByReason           []reasonCount // of the filter without its reason
	After, Next        string        // addresses; "" = there is no such page
	Reasons            []deadletter.Reason
	States             []letters.State
	Plans              []*job
}

// reasonCount is how many letters have a reason.
type reasonCount struct {
	Reason deadletter.Reason
	N      int
}

func (c *Console) letters(w http.ResponseWriter, r *http.Request) {
	data, f := c.data.Load(), filterOf(r.URL.Query())
	view := lettersView{filter: f, Starting: data == nil, Reasons: deadletter.Reasons(), States: allStates(), Plans: c.jobs.list()}
	choice, err := f.choice(c.deps.ParseTime, time.Now())
	switch {
	case err != nil:
		view.Fault = err.Error()
	case data != nil:
		view.count(c.tallies.of(data.Shelf, choice), choice.Reasons)
		if !isPart(r) {
			view.fill(data.Shelf, choice, r.URL.Query().Get("after"))
		}
	}
	c.page(w, r, "letters", "What was given up?", view)
}

// count fills the part of the view that renews itself.
func (v *lettersView) count(all tally, reasons []deadletter.Reason) {
	v.ByReason, v.Complete, v.Matching = counted(all.byReason), all.complete, all.byReason.Total()
	if len(reasons) == 1 {
		v.Matching = all.byReason[reasons[0]]
	}
}

// fill fills the list, which does not: somebody may be ticking its boxes.
func (v *lettersView) fill(shelf Shelf, choice letters.Choice, after string) {
	var from *letters.Position
	if at, ok := letters.ParsePosition(after); ok {
		from, v.After = &at, v.query()
	}
	v.Lines, v.Matching, _, v.Complete = shelf.Page(choice, from, lettersAPage)
	if len(v.Lines) == lettersAPage {
		v.Next = v.query("after", v.Lines[len(v.Lines)-1].Position.String())
	}
}

// counted orders a histogram as the reasons are ordered everywhere.
func counted(byReason letters.Histogram) (list []reasonCount) {
	for _, reason := range append(deadletter.Reasons(), "") {
		if n := byReason[reason]; n > 0 {
			list = append(list, reasonCount{reason, n})
		}
	}
	return list
}
