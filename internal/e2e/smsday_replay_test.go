//go:build real

package e2e_test

import (
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	// replayRate is how many texts a second come or go.
	replayRate = 250

	// replayCustomers is how many customers write in turn, and so how many notifications
	// of texts are on their way at most: of more, the store's sync would tell first.
	replayCustomers = 50

	// replayUnread is how many texts later in its conversation a customer's text is read.
	replayUnread = 3
)

// A replay is a day's traffic.
type replay struct {
	p      *sandbox.Platform
	told   *toldTexts
	texts  int
	losses int // of the sync token

	lost   int
	last   map[int]int64   // the last text of each customer that a notification tells of
	unread map[int][]int64 // customers' texts by conversation, oldest first
}

// run makes the day happen.
func (r *replay) run() error {
	r.last, r.unread = map[int]int64{}, map[int][]int64{}
	tick := time.NewTicker(time.Second / replayRate)
	defer tick.Stop()
	for n := range r.texts {
		<-tick.C
		if err := r.text(n); err != nil {
			return err
		}
		if n >= (r.lost+1)*r.texts/(r.losses+1) {
			r.loseToken()
		}
	}
	for deadline := time.Now().Add(waitLong); r.told.seen().lost < r.losses; {
		<-tick.C
		r.loseToken()
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d losses of the sync token were met", r.told.seen().lost)
		}
	}
	return nil
}

// loseToken loses the sync token if there are losses left, and the one before was met
// and made good: there is another to lose.
func (r *replay) loseToken() {
	if seen := r.told.seen(); r.lost < r.losses && seen.lost == r.lost && seen.synced > 0 {
		r.p.ExpireSyncTokens()
		r.lost++
	}
}

// text lets a customer write, three times of five, or an agent at the telephone. Every
// fifth of the customers' texts is never read, the others are after a while.
func (r *replay) text(n int) error {
	conversation := n % replayCustomers
	turn := n/replayCustomers + conversation
	customer := fmt.Sprintf("+1415555%04d", conversation)
	if turn%5 >= 3 {
		_, err := r.p.ImportMessages(sandbox.MessageImport{Direction: sandbox.DirectionOutbound, To: customer})
		return err
	}
	notify := conversation%10 != 0
	if err := r.told.taken(r.last[conversation]); err != nil {
		return err
	}
	made, err := r.p.ImportMessages(sandbox.MessageImport{From: customer, Instant: &notify})
	if err != nil {
		return err
	}
	if notify {
		r.last[conversation] = made[0].ID
	}
	if turn%5 > 0 || turn%2 > 0 {
		r.unread[conversation] = append(r.unread[conversation], made[0].ID)
	}
	if waiting := r.unread[conversation]; len(waiting) > replayUnread {
		r.unread[conversation] = waiting[1:]
		_, err = r.p.EditMessage(waiting[0], sandbox.MessageEdit{ReadStatus: sandbox.Read})
	}
	return err
}
