package console

import (
	"fmt"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/letters"
)

const (
	// tallyAge is how old the counts of letters may be that pages renew by themselves:
	// counting a hundred thousand takes a hundredth of a second.
	tallyAge = 3 * time.Second
	// maxTallies bounds the memory; there are as many as viewers have filters.
	maxTallies = 100
)

// tally is how many letters there are, by reason.
type tally struct {
	at       time.Time
	byReason letters.Histogram
	complete bool
}

// tallies are counted once for all viewers. It is safe for concurrent use.
type tallies struct {
	mu    sync.Mutex
	known map[string]tally
}

// of counts the letters of a choice, whatever their reason.
func (t *tallies) of(shelf Shelf, choice letters.Choice) tally {
	choice.Reasons = nil
	// Relative times are a little later each time: they are told apart by the minute.
	key := fmt.Sprintf("%s %v %q %s %s", choice.Source, choice.States, choice.Conversation, choice.Since.Truncate(time.Minute), choice.Until.Truncate(time.Minute))
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.known[key]; ok && time.Since(found.at) < tallyAge {
		return found
	}
	if t.known == nil || len(t.known) >= maxTallies {
		t.known = map[string]tally{}
	}
	var fresh tally
	_, _, fresh.byReason, fresh.complete = shelf.Page(choice, nil, 0)
	fresh.at = time.Now()
	t.known[key] = fresh
	return fresh
}
