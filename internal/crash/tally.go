package crash

// Tally is the count of both sides. The fields of the second group must be zero.
type Tally struct {
	Webhooks int // acknowledged
	Polled   int // left for the poller, the account's own replies among them
	Events   int // that a reader sees
	Changes  int // of messages, that were told
	Commands int
	Calls    int // that would have an effect
	Effects  int // of which there is one: replies made, messages changed
	Refused  int // webhooks answered 503 while the disk was full
	Hanging  int // partitions in which the broker had forgotten a transaction

	Lost           int // messages acknowledged without an event
	DoubledEvents  int // events a reader sees again
	EventDisorder  int // messages after a later one of their conversation
	Letters        int // inbound dead letters
	Unhealed       int // times that there was no subscription again
	Disasters      int // requests to delete all messages
	SetAside       int // files that a spool could not read to their end: the harness damages nothing that is durable
	LostChanges    int // messages of which the last state was not told
	DoubledChanges int // states told again
	Diverged       int // fields of contents and messages whose newest event shows something else than the API
	Idle           int // updates in which nothing differs from the event before
	DoubledReply   int // replies more than commands with that text
	ReplyDisorder  int // replies after a later one of their conversation
	Unsent         int // successes without a reply of their own
	NoResult       int
	TwoResults     int
	Ambiguous      int // the harness hides no truth for good
	GivenUp        int // letters for another reason: the harness gives none
	Restless       int // rounds after which nothing was missing, but a group lagged or a transaction stayed open
}

// Bad tells whether a guarantee was broken.
func (t Tally) Bad() bool {
	return t.Lost+t.DoubledEvents+t.EventDisorder+t.LostChanges+t.DoubledChanges+t.Diverged+t.Idle+t.Letters+t.Unhealed+t.Disasters+t.SetAside+t.DoubledReply+t.ReplyDisorder+t.Unsent+t.NoResult+t.TwoResults+t.Ambiguous+t.GivenUp+t.Restless > 0
}

// Count counts both sides. effects are in the order in which they were made.
func (b *Book) Count(calls int, effects []Effect) Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := Tally{Commands: len(b.order), Calls: calls, Effects: len(effects), EventDisorder: b.disorder, Letters: b.letters, Idle: len(b.idle)}
	b.countEvents(&t)
	b.countResults(&t, effects)
	b.countEffects(&t, effects)
	return t
}

func (b *Book) countEvents(t *Tally) {
	repeated := 0
	for _, n := range b.events {
		t.Events += n
		repeated += n - 1
	}
	for id, m := range b.messages {
		t.DoubledEvents += max(0, b.seen[id]-1)
		if !m.due {
			continue
		}
		if m.webhook {
			t.Webhooks++
		} else {
			t.Polled++
		}
		if b.seen[id] == 0 {
			t.Lost++
		}
	}
	for _, w := range b.ways {
		w.count(t)
	}
	// An appearance that comes twice has one event id, or two where the ids are wrong.
	t.DoubledEvents = max(t.DoubledEvents, repeated)
}

func (b *Book) countResults(t *Tally, effects []Effect) {
	free := map[string]bool{} // effects that no success has named yet
	for _, e := range effects {
		free[e.ID] = true
	}
	for _, c := range b.order {
		switch len(c.finals) {
		case 0:
			t.NoResult++
			continue
		case 1:
		default:
			t.TwoResults++
		}
		switch f := c.finals[0]; {
		case f.Succeeded && !free[f.Resource]:
			t.Unsent++
		case f.Succeeded:
			delete(free, f.Resource)
		case f.Reason == "ambiguous":
			t.Ambiguous++
		default:
			t.GivenUp++
		}
	}
}

// countEffects compares each reply with the commands of its conversation that have its text. Of two such commands, the
// first reply is the first one's.
func (b *Book) countEffects(t *Tally, effects []Effect) {
	type text struct{ conversation, body string }
	places := map[text][]int{} // where in the order the commands with a text stand
	for i, c := range b.order {
		key := text{c.conversation, c.body}
		places[key] = append(places[key], i)
	}
	reached := map[string]int{}
	for _, e := range effects {
		key := text{e.Conversation, e.Body}
		if len(places[key]) == 0 {
			t.DoubledReply++
			continue
		}
		place := places[key][0]
		places[key] = places[key][1:]
		if place < reached[e.Conversation] {
			t.ReplyDisorder++
		}
		reached[e.Conversation] = max(place, reached[e.Conversation])
	}
}
