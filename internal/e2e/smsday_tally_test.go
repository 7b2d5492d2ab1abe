//go:build real

package e2e_test

import (
	"bytes"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// textFaults are what must not be.
type textFaults struct {
	lost, doubled       int // texts
	statusLost          int // statuses told, and last ones
	statusDoubled       int
	readLost            int // of texts that were told as unread first
	readDoubled         int
	disordered          int // within a text, or among those of one side of a conversation
	untold, eventsTwice int // what nobody told; event ids met before
}

// A textTally compares the events of texts with what was told.
type textTally struct {
	textFaults

	events, statuses, reads int
	byNotification          int // first events
	overtaken               int // texts told before what the other side had written earlier

	life   map[int64]*textLife
	newest map[string]int64 // by conversation and direction
	ids    map[string]bool
}

// textLife is what the topic tells of a text, so far.
type textLife struct {
	firsts    int
	unread    bool
	shownRead bool // by the newest event
	read      int  // how often it was told so later
	statuses  []string
}

// stage orders the statuses.
func stage(status string) int {
	return map[string]int{sandbox.MessageQueued: 1, sandbox.MessageSent: 2}[status] // any other is the last: see add
}

// tallyTexts reads the topic, in the order of its partitions.
func (w *world) tallyTexts(told *toldTexts, messages []sandbox.Message) *textTally {
	w.t.Helper()
	t := &textTally{life: map[int64]*textLife{}, newest: map[string]int64{}, ids: map[string]bool{}}
	for _, m := range messages {
		t.life[m.ID] = &textLife{}
	}
	for _, r := range w.read(w.names.Messages) {
		var e schemas.MessageEvent
		require.NoError(w.t, w.codec.Decode(w.t.Context(), r.Value, &e))
		id, err := strconv.ParseInt(e.Message.ID, 10, 64)
		require.NoError(w.t, err)
		require.Equal(w.t, *e.Message.ConversationID, string(r.Key))
		t.add(id, &e, told)
	}
	for _, m := range messages {
		t.compare(&m, told)
	}
	return t
}

// add takes the next event of the topic.
func (t *textTally) add(id int64, e *schemas.MessageEvent, told *toldTexts) {
	life := t.life[id]
	if life == nil {
		t.untold++
		return
	}
	t.events++
	if t.ids[e.EventID] {
		t.eventsTwice++
	}
	t.ids[e.EventID] = true
	switch {
	case e.EventType == "message.received" || e.EventType == "message.sent":
		if life.firsts++; life.firsts > 1 {
			t.doubled++
			return
		}
		t.first(id, e)
		life.unread = deref(e.Message.ReadStatus) == "UNREAD"
		t.status(id, life, deref(e.Message.Status), told)
	case life.firsts == 0:
		t.disordered++
	case e.EventType == "message.status_changed":
		t.statuses++
		t.status(id, life, deref(e.Message.Status), told)
	case e.EventType != "message.updated":
		t.untold++
	case deref(e.Message.ReadStatus) == "READ" && !life.shownRead:
		t.reads++
		life.read++
	} // else a row completes what its notification left out
	life.shownRead = deref(e.Message.ReadStatus) == "READ"
}

// first sees to the order of the texts, whose ids grow.
func (t *textTally) first(id int64, e *schemas.MessageEvent) {
	if e.Origin == schemas.OriginWebhook {
		t.byNotification++
	}
	mine := *e.Message.ConversationID + " " + string(e.Message.Direction)
	other := *e.Message.ConversationID + " " + string(schemas.DirectionInbound)
	if e.Message.Direction == schemas.DirectionInbound {
		other = *e.Message.ConversationID + " " + string(schemas.DirectionOutbound)
	}
	switch {
	case id < t.newest[mine]:
		t.disordered++
	case id < t.newest[other]:
		t.overtaken++
	}
	t.newest[mine] = max(t.newest[mine], id)
}

// status sees to the order of a text's statuses.
func (t *textTally) status(id int64, life *textLife, status string, told *toldTexts) {
	for i, before := range life.statuses {
		if before == status {
			t.statusDoubled++
			return
		}
		if last := i == len(life.statuses)-1; last && (stage(before) == 0 || stage(status) != 0 && stage(status) < stage(before)) {
			t.disordered++
		}
	}
	if status != sandbox.MessageReceived && !told.told(id, status) {
		t.untold++
	}
	life.statuses = append(life.statuses, status)
}

// compare counts what the topic lacks of a text.
func (t *textTally) compare(m *sandbox.Message, told *toldTexts) {
	life := t.life[m.ID]
	if life.firsts == 0 {
		t.lost++
		return
	}
	published := map[string]bool{}
	for _, status := range life.statuses {
		published[status] = true
	}
	for _, status := range []string{
		sandbox.MessageQueued, sandbox.MessageSent, sandbox.MessageDelivered, sandbox.MessageDeliveryFailed, sandbox.MessageSendingFailed,
	} {
		if told.told(m.ID, status) && !published[status] {
			t.statusLost++
		}
	}
	if life.statuses[len(life.statuses)-1] != m.MessageStatus {
		t.statusLost++
	}
	want := 0
	if life.unread && m.ReadStatus == sandbox.Read {
		want = 1
	}
	t.readLost += max(0, want-life.read)
	t.readDoubled += max(0, life.read-want)
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// table tells the figures.
func (t *textTally) table(p *sandbox.Platform, told toldCounts, replayed, took time.Duration) string {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(table, "%v\t", cell)
		}
		fmt.Fprintln(table)
	}
	counts, attempts := p.Notifications()
	row("texts", "by notification", "by sync", "statuses changed", "read", "events", "replayed in", "all there after")
	row(len(t.life), t.byNotification, len(t.life)-t.byNotification-t.lost, t.statuses, t.reads, t.events,
		replayed.Round(10*time.Millisecond), took.Round(10*time.Millisecond))
	_ = table.Flush()
	row("lost", "doubled", "statuses lost", "doubled", "reads lost", "doubled", "out of order", "untold", "answers told before the question")
	row(t.lost, t.doubled, t.statusLost, t.statusDoubled, t.readLost, t.readDoubled, t.disordered, t.untold+t.eventsTwice, t.overtaken)
	_ = table.Flush()
	row("tokens lost", "syncs", "notifications", "hints among them", "lost", "failed", "requests")
	row(told.lost, told.rounds, counts.Emitted, counts.Hints, counts.Lost, counts.Failed, len(attempts))
	_ = table.Flush()
	return out.String()
}
