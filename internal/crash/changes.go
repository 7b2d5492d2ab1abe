package crash

import "slices"

// A way is what a message comes through, as events tell it: the statuses of a text, the bodies of a content that is
// edited. One who looks now and then may miss what lies between, never the end; and sees nothing twice, nor going back.
type way struct {
	states []string // in their order; the last is where it ends
	told   []string // in the order of the events, by a reader
}

// Comes notes that a message comes through these states, after those noted before. An event must tell the last of them.
// Naming the same ones again changes nothing.
func (b *Book) Comes(id string, states ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.way(id)
	for _, state := range states {
		if !slices.Contains(w.states, state) {
			w.states = append(w.states, state)
		}
	}
}

// Told notes that an event shows a message's state.
func (b *Book) Told(id, state string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.way(id)
	w.told = append(w.told, state)
}

// Retold notes that an event shows a message's state, and more: where that is the state shown last,
// it was the rest that changed.
func (b *Book) Retold(id, state string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.way(id)
	if len(w.told) == 0 || w.told[len(w.told)-1] != state {
		w.told = append(w.told, state)
	}
}

// way is called with the lock held.
func (b *Book) way(id string) *way {
	if b.ways[id] == nil {
		b.ways[id] = &way{}
	}
	return b.ways[id]
}

// open tells whether the end was not told yet.
func (w *way) open() bool {
	return len(w.states) > 0 && !slices.Contains(w.told, w.states[len(w.states)-1])
}

// count compares what was told with the way. States that are not on it say nothing.
func (w *way) count(t *Tally) {
	if len(w.states) == 0 {
		return
	}
	if w.open() {
		t.LostChanges++
	}
	reached, met := 0, map[string]bool{}
	for _, state := range w.told {
		place := slices.Index(w.states, state)
		switch {
		case place < 0:
			continue
		case met[state]:
			t.DoubledChanges++
		case place < reached:
			t.EventDisorder++
		}
		t.Changes++
		met[state], reached = true, max(place, reached)
	}
}
