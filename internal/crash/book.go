package crash

import (
	"fmt"
	"slices"
	"sync"
)

// A Book holds what was put in on either side and what came out on the other. It is safe for concurrent use.
//
// In: a message is told by a webhook or left for the poller, and must be one event, in the order of its conversation. What
// becomes of it later must be told to its end, and each state once.
// In the end the newest event of each must show what the API shows.
// Out: a command must have one final result and, when that is a success, one effect, in the order of its conversation.
type Book struct {
	mu       sync.Mutex
	messages map[string]*message   // by content id
	events   map[string]int        // by event id: how often a reader sees it
	seen     map[string]int        // by content id: how many events of its appearance a reader sees
	passed   map[string][]*message // by conversation: the messages that a reader has seen
	disorder int                   // messages seen after a later one of their conversation
	ways     map[string]*way       // by message: what becomes of it
	shown    map[string]showing    // by content or message: its newest event
	states   map[string]State      // by content or message: what its newest event shows, field by field
	idle     []string              // what updates show that the event before them showed
	letters  int                   // inbound dead letters: nothing the harness sends deserves one
	holes    bool                  // what is left to the poller may lie in a hole
	commands map[string]*command
	order    []*command // as they were sent
}

type message struct {
	conversation string
	number       int // within the conversation
	webhook      bool
	due          bool // told and acknowledged, or there for the poller: its event must come
	late         bool // it may lie in a hole of what can be read, and come after later ones
	place             // where it was taken, which decides whether its order counts
}

type command struct {
	id           string
	conversation string
	body         string // two commands may have the same
	changes      string // the effect of a command that makes nothing, and whose result names none
	finals       []Final
}

// Final is a final result.
type Final struct {
	Succeeded bool
	Reason    string // of a letter
	Resource  string // the content made
}

// Effect is a reply that a customer got, or what else a command did.
type Effect struct {
	ID           string
	Conversation string
	Body         string
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{
		messages: map[string]*message{}, events: map[string]int{}, seen: map[string]int{}, passed: map[string][]*message{},
		ways: map[string]*way{}, shown: map[string]showing{}, states: map[string]State{},
		commands: map[string]*command{},
	}
}

// Tell notes a message before it is sent. due means that its event must come whatever happens; else it is due once
// acknowledged. Numbers ascend within a conversation.
func (b *Book) Tell(id, conversation string, number int, webhook, due bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages[id] = &message{conversation: conversation, number: number, webhook: webhook, due: due, late: b.holes && !webhook}
}

// Holes notes whether, of what is reported from now on, the poller may not find some before what is
// newer.
func (b *Book) Holes(there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holes = there
}

// Hollow reports whether the poller may not find some of what is reported now.
func (b *Book) Hollow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.holes
}

// Made notes a reply of the account's own, which the poller must find. Its place is counted among the replies.
func (b *Book) Made(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.messages[id] == nil {
		b.messages[id] = &message{conversation: id, due: true}
	}
}

// Event notes an event that a reader sees, in the order of its conversation. first is the event of a content's
// appearance.
func (b *Book) Event(eventID, contentID string, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events[eventID]++
	if !first {
		return
	}
	b.seen[contentID]++
	m := b.messages[contentID]
	if m == nil || b.seen[contentID] > 1 {
		return
	}
	if !m.late && slices.ContainsFunc(b.passed[m.conversation], func(later *message) bool { return m.number < later.number && !later.mayOvertake(m) }) {
		b.disorder++
	}
	b.passed[m.conversation] = append(b.passed[m.conversation], m)
}

// A showing is all that an event shows of a content or message, and of which arrival it comes.
type showing struct{ arrival, all string }

// Shows notes all that an event shows. One that is an update shows something else than the event
// before it, unless both come of one arrival, in which two things may have changed.
func (b *Book) Shows(id, arrival, all string, update bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if before := b.shown[id]; update && before.all == all && before.arrival != arrival {
		b.idle = append(b.idle, all)
	}
	b.shown[id] = showing{arrival: arrival, all: all}
}

// Idle returns what the updates show that show nothing else than the event before them.
func (b *Book) Idle() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.idle)
}

// Letter notes an inbound dead letter.
func (b *Book) Letter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters++
}

// Send notes a command before it is produced.
func (b *Book) Send(id, conversation, body string) {
	b.send(&command{id: id, conversation: conversation, body: body})
}

// SendChange notes a command that changes what there is. Its effect, and the text of it, is what it does to what.
func (b *Book) SendChange(id, conversation, effect string) {
	b.send(&command{id: id, conversation: conversation, body: effect, changes: effect})
}

func (b *Book) send(c *command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands[c.id] = c
	b.order = append(b.order, c)
}

// End notes a final result of a command.
func (b *Book) End(id string, f Final) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.commands[id]; c != nil {
		f.Resource += c.changes
		c.finals = append(c.finals, f)
	}
}

// Open tells how much has not come yet.
func (b *Book) Open() (messages, commands int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, m := range b.messages {
		if m.due && b.seen[id] == 0 {
			messages++
		}
	}
	for _, w := range b.ways {
		if w.open() {
			messages++
		}
	}
	for _, c := range b.order {
		if len(c.finals) == 0 {
			commands++
		}
	}
	return messages, commands
}

// Missing names some of what has not come, for the log.
func (b *Book) Missing() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, m := range b.messages {
		if m.due && b.seen[id] == 0 && len(names) < 10 {
			names = append(names, fmt.Sprintf("event of %s (%s %d)", id, m.conversation, m.number))
		}
	}
	for id, w := range b.ways {
		if w.open() && len(names) < 15 {
			names = append(names, fmt.Sprintf("%s of %s (told: %v)", w.states[len(w.states)-1], id, w.told))
		}
	}
	for _, c := range b.order {
		if len(c.finals) == 0 && len(names) < 20 {
			names = append(names, "result of "+c.id)
		}
	}
	return names
}
