package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
)

const (
	nameCookie = "ringbridge_name"
	nameLife   = 90 * 24 * time.Hour
	// maxName is enough for a name, and short enough for a line of the log.
	maxName = 64
)

// plan makes one of what was selected, or of all that the filter chooses.
func (c *Console) plan(w http.ResponseWriter, r *http.Request) {
	data := c.data.Load()
	if data == nil {
		http.Error(w, "starting: letters can be dealt with once Kafka is reached", http.StatusServiceUnavailable)
		return
	}
	_ = r.ParseForm() // a body that is no form chooses nothing
	choice, err := filterOf(r.PostForm).choice(c.deps.ParseTime, time.Now())
	what, scope, _ := strings.Cut(r.PostFormValue("do"), " ")
	action, known := map[string]letters.Action{"send-back": letters.SendBack, "discard": letters.Discard}[what]
	switch {
	case err != nil || !known:
		http.Error(w, "this is not what the form sends", http.StatusBadRequest)
		return
	case scope == "selected" && len(r.PostForm["which"]) == 0:
		http.Error(w, "nothing is selected: go back, and tick the letters that are meant", http.StatusBadRequest)
		return
	case scope == "selected" && slices.ContainsFunc(r.PostForm["which"], isNoPlace):
		http.Error(w, "this is not what the form sends", http.StatusBadRequest)
		return
	case scope == "selected":
		choice = letters.Choice{Source: choice.Source, Which: r.PostForm["which"]}
	case scope != "all":
		http.Error(w, "this is not what the form sends", http.StatusBadRequest)
		return
	}
	j := c.jobs.open(action, choice)
	if j == nil || !c.start(r.Context(), func(ctx context.Context) { j.look(ctx, data.Letters) }) {
		http.Error(w, "too many plans at work: wait for one to end", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/letters/plans/"+j.ID, http.StatusSeeOther)
}

func isNoPlace(text string) bool {
	_, ok := letters.ParsePosition(text)
	return !ok
}

// planView is a plan: what it would do, what it does, what it did.
type planView struct {
	Job                   *job
	State                 jobState
	Verb, Choice          string
	Total, Did            int
	ByReason              []reasonCount
	Others                []stateCount
	Faulty                int
	LeftOut               []string
	Ambiguous             bool // some may have been sent already
	By, Name, Fault       string
	NameMissing, SendBack bool
	About, Took           time.Duration
}

// stateCount is how many letters a plan leaves out for their state.
type stateCount struct {
	State letters.State
	N     int
}

// planned shows a plan, and once it has begun how far it is.
func (c *Console) planned(w http.ResponseWriter, r *http.Request) {
	j := c.jobs.find(r.PathValue("id"))
	if j == nil {
		http.Error(w, "there is no such plan any more: make a new one", http.StatusNotFound)
		return
	}
	c.showPlan(w, r, j, false)
}

func (c *Console) showPlan(w http.ResponseWriter, r *http.Request, j *job, nameMissing bool) {
	view := j.view()
	view.NameMissing = nameMissing
	if named, err := r.Cookie(nameCookie); err == nil {
		name, _ := url.QueryUnescape(named.Value)
		view.Name = cleanName(name)
	}
	f := c.frame(r, title(view), view)
	f.Moving = j.moving()
	status := http.StatusOK
	if nameMissing {
		status = http.StatusUnprocessableEntity
	}
	c.pages.render(w, r, c.deps.Logger, status, "plan", f)
}

func title(v planView) string {
	switch v.State {
	case jobLooking:
		return "Looking…"
	case jobReady:
		return strings.ToUpper(v.Verb[:1]) + v.Verb[1:] + " " + plural(v.Total, "letter") + "?"
	case jobRunning:
		return fmt.Sprintf("%s of %s", count(v.Did), plural(v.Total, "letter"))
	case jobDone:
		return "Done: " + plural(v.Did, "letter")
	default:
		return "Ended by a fault"
	}
}

// view is what the page shows of the job.
func (j *job) view() planView {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := planView{
		Job: j, State: j.state, Verb: verb(j.Action), Choice: choiceText(j.Choice), SendBack: j.Action == letters.SendBack,
		Did: j.did, By: j.by, LeftOut: j.leftOut,
	}
	if j.fault != nil {
		v.Fault = j.fault.Error()
	}
	if !j.finished.IsZero() {
		v.Took = j.finished.Sub(j.begun)
	}
	if j.plan == nil {
		return v
	}
	v.Total, v.ByReason, v.Faulty = j.plan.Letters.Total(), counted(j.plan.Letters), j.plan.Faulty
	v.Ambiguous = v.SendBack && j.plan.Letters[deadletter.Ambiguous] > 0
	v.About = max(time.Second, time.Duration(v.Total)*time.Second/SendBackRate)
	for _, state := range allStates() {
		if n := j.plan.Others[state]; n > 0 {
			v.Others = append(v.Others, stateCount{state, n})
		}
	}
	return v
}

// SendBackRate, in letters a second, is slow enough to watch.
const SendBackRate = 10

// choiceText tells a choice in words, for the page and the log.
func choiceText(c letters.Choice) string {
	if len(c.Which) > 0 {
		return fmt.Sprintf("%s of %s, selected one by one", plural(len(c.Which), "letter"), c.Source)
	}
	parts := []string{"all letters of " + string(c.Source)}
	if len(c.Reasons) > 0 {
		parts = append(parts, "reason "+either(c.Reasons))
	}
	if len(c.States) > 0 {
		parts = append(parts, "state "+either(c.States))
	}
	if !c.Since.IsZero() {
		parts = append(parts, "given up at or after "+utc(c.Since))
	}
	if !c.Until.IsZero() {
		parts = append(parts, "before "+utc(c.Until))
	}
	if c.Conversation != "" {
		parts = append(parts, "conversation "+text(c.Conversation))
	}
	return strings.Join(parts, ", ")
}

func either[S ~string](values []S) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, " or ")
}

// errStopping says why a job was not begun.
var errStopping = errors.New("the process is stopping: nothing was done")

// carryOut takes the yes.
func (c *Console) carryOut(w http.ResponseWriter, r *http.Request) {
	j, data := c.jobs.find(r.PathValue("id")), c.data.Load()
	if j == nil || data == nil {
		http.Error(w, "there is no such plan any more: make a new one", http.StatusNotFound)
		return
	}
	by := cleanName(r.PostFormValue("name"))
	if by == "" {
		c.showPlan(w, r, j, true)
		return
	}
	http.SetCookie(w, cookie(nameCookie, url.QueryEscape(by), nameLife))
	if j.confirm(by) {
		log := c.deps.Logger.With("action", verb(j.Action), "by", by, "remote", sender(r), "choice", choiceText(j.Choice))
		log.Info("letters: confirmed at the console", "letters", j.view().Total)
		// It does not end with the request: a yes is a yes, though its browser has left.
		if !c.start(r.Context(), func(ctx context.Context) {
			did, err := j.carryOut(ctx, data.Letters)
			log.Info("letters: ended at the console", "done", did, "error", err)
		}) {
			j.fail(errStopping)
		}
	}
	http.Redirect(w, r, "/letters/plans/"+j.ID, http.StatusSeeOther)
}

// cleanName returns a name that a line of the log and a cookie can hold.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`";,\`, r) {
			return -1
		}
		return r
	}, strings.TrimSpace(name))
	runes := []rune(name)
	return string(slices.Clip(runes[:min(len(runes), maxName)]))
}
