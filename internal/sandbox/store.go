package sandbox

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// purgeAfter is how long a deleted message stays.
const purgeAfter = 5 * 24 * time.Hour

// store is the message store of the extension. Platform.mu guards it. Tens of thousands of messages are no burden: lists are
// kept sorted, and a sync reads what changed, not what there is.
type store struct {
	byID      map[int64]*message
	byCreated []*message // by creation, then id, ascending
	changes   []change   // oldest first; superseded ones go when they are half of it
	numbered  int        // changes ever
	epoch     int        // raised to make all sync tokens worthless
	imported  int        // numbers the default texts
	disasters int        // requests that deleted all
}

// change is an entry in the order of modification. It stands while it is its message's last.
type change struct {
	at     time.Time
	number int
	of     *message
}

func newStore() *store { return &store{byID: map[int64]*message{}} }

func byCreation(a, b *message) int {
	return cmp.Or(seconds(a.created).Compare(seconds(b.created)), cmp.Compare(a.id, b.id))
}

// insert adds a message, modified at its creation or now.
func (st *store) insert(m *message, now time.Time) {
	st.byID[m.id] = m
	at, _ := slices.BinarySearchFunc(st.byCreated, m, byCreation)
	st.byCreated = slices.Insert(st.byCreated, at, m)
	st.touch(m, now)
}

// touch is what every change of a message ends with.
func (st *store) touch(m *message, now time.Time) {
	st.numbered++
	m.modified, m.change = millis(now), st.numbered
	st.changes = append(st.changes, change{at: m.modified, number: st.numbered, of: m})
	if len(st.changes) > 2*len(st.byID)+1024 {
		st.changes = slices.DeleteFunc(st.changes, func(c change) bool { return c.of.change != c.number })
	}
}

// changedSince returns what was modified at that time or later, each once, in the order of modification.
func (st *store) changedSince(at time.Time) []*message {
	from, _ := slices.BinarySearchFunc(st.changes, at, func(c change, at time.Time) int { return c.at.Compare(at) })
	var out []*message
	for _, c := range st.changes[from:] {
		if c.of.change == c.number {
			out = append(out, c.of)
		}
	}
	return out
}

// createdBetween returns the messages created from one time to another, both included, newest first. It compares what the API
// shows of the creation: whole seconds. A frame that begins within a message's second misses it.
func (st *store) createdBetween(from, to time.Time) []*message {
	start, _ := slices.BinarySearchFunc(st.byCreated, from, func(m *message, at time.Time) int {
		return seconds(m.created).Compare(at)
	})
	var out []*message
	for _, m := range st.byCreated[start:] {
		if seconds(m.created).After(to) {
			break
		}
		out = append(out, m)
	}
	slices.Reverse(out)
	return out
}

// conversationOf is the same number for the same set of people, and always beyond 2^53.
func conversationOf(from Party, to []Party) int64 {
	numbers := []string{from.PhoneNumber}
	for _, t := range to {
		numbers = append(numbers, t.PhoneNumber)
	}
	slices.Sort(numbers)
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(strings.Join(numbers, "\x00"))) // a hash takes everything
	raw := sum.Sum(nil)
	return int64(binary.BigEndian.Uint64(raw)&(1<<63-1) | 1<<60 | 1) // odd, and so never a float64
}

// remove deletes a message; what is deleted already, or is to be purged, is purged: only its id stays.
func (p *Platform) remove(m *message, purge bool) {
	now := p.s.now()
	if purge || m.availability == AvailabilityDeleted {
		m.availability, m.files, m.text = AvailabilityPurged, nil, ""
		p.changed(m, now, false)
		return
	}
	m.availability = AvailabilityDeleted
	p.changed(m, now, false)
	p.after(purgeAfter, func() {
		if m.availability == AvailabilityDeleted {
			p.remove(m, true)
		}
	})
}

// changed records a change of a message, or a new one, and sends the hint of it.
func (p *Platform) changed(m *message, now time.Time, created bool) {
	if created {
		p.store.insert(m, now)
	} else {
		p.store.touch(m, now)
	}
	p.hint(m, created)
}
