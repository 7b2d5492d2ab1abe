package consume

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// An Unfinished is a command that this process holds and that has not ended, as
// it stood a moment ago.
type Unfinished struct {
	CommandID    string // "" until it has been read
	Conversation string // the record's key as text; any bytes
	Action       string // its name, such as CreateContent; "" until it has been read
	API          string // the API that it calls, as logs name it; "" until that is known
	Partition    int32
	Offset       int64
	IssuedAt     time.Time // as it says; when its record was produced, until it has been read
	Since        time.Time // when it was taken up; zero = it was not yet
	Attempts     int       // calls that count so far
	Next         time.Time // when it goes on at the earliest; zero = it is at work now, or waits for something that has no time
	Doing        Doing
	LastError    string // of its last call; "" = none failed
	LastStatus   int    // the HTTP status of that call; 0 = there was no answer
	Behind       int    // commands of the same conversation that wait behind it
}

// Doing says what a command is at. The set is closed.
type Doing string

// What a command can be at, in the order of its life.
const (
	WaitingForLedger       Doing = "waiting for the ledger"       // its partition has just come, and what was done before is being read
	WaitingForConversation Doing = "waiting for its conversation" // a command before it has not ended
	BeingRead              Doing = "being read"                   // decoded; lasts while the schema registry is out of reach
	WaitingForEqualText    Doing = "waiting for an equal text"    // a command whose effect could be taken for its own is at work
	LookingUp              Doing = "looking up"                   // whether a call whose outcome is not known had its effect
	WaitingForNextTry      Doing = "waiting for its next try"     // the backoff, or what the API asked for
	HeldByCircuit          Doing = "held by the circuit"          // the API is down; a probe goes out now and then
	Halted                 Doing = "halted"                       // the API refuses our credential
	WaitingForRoom         Doing = "waiting for room"             // REPLIES_CONCURRENCY calls are out
	BeingRecorded          Doing = "being put on record"          // its attempt, or its end; lasts while the brokers are out of reach
	Calling                Doing = "calling"                      // the API's client has it, and may hold it back for a rate limit
)

// Unfinished returns the commands that this process holds and that have not
// ended, oldest first. It is a snapshot, cheap enough for every second, and safe
// for concurrent use.
func (c *Consumer) Unfinished() []Unfinished {
	var all []Unfinished
	for _, p := range c.owned() {
		all = p.unfinished(all)
	}
	slices.SortFunc(all, func(a, b Unfinished) int {
		return cmp.Or(a.IssuedAt.Compare(b.IssuedAt), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}

// progress is how far the command at the head of a lane is: told by the lane,
// and read by anybody, without either waiting for the other.
type progress struct {
	record *kgo.Record
	since  time.Time
	now    atomic.Pointer[stage]
}

// A stage is one step of a command's progress. It is not changed once it is told.
type stage struct {
	doing    Doing
	next     time.Time
	reply    *schemas.ReplyCommand // nil = it has not been read
	api      string
	gate     *gate // that it stands before; nil = before none
	attempts int
	last     failure
}

func newProgress(r *kgo.Record) *progress {
	p := &progress{record: r, since: time.Now()}
	p.now.Store(&stage{doing: BeingRead})
	return p
}

// at tells what the command is at from now on, and when it goes on; zero = that
// is not known.
func (c *command) at(doing Doing, next time.Time) {
	c.progress.now.Store(&stage{doing: doing, next: next, reply: c.reply, api: c.api, attempts: c.attempts, last: c.last})
}

// before tells that the command stands before a gate. What that means is the
// gate's to say when somebody asks: it changes while commands stand there.
func (c *command) before(g *gate) {
	c.progress.now.Store(&stage{gate: g, reply: c.reply, api: c.api, attempts: c.attempts, last: c.last})
}

// told returns what the command is at.
func (s *stage) told() (Doing, time.Time) {
	if s.gate == nil {
		return s.doing, s.next
	}
	switch state, next := s.gate.standing(); state {
	case gateOpen:
		return HeldByCircuit, next
	case gateHalted:
		return Halted, next
	case gateClosed:
	}
	return WaitingForRoom, time.Time{} // it passes
}

// unfinished appends the partition's commands.
func (p *partition) unfinished(all []Unfinished) []Unfinished {
	p.mu.Lock()
	defer p.mu.Unlock()
	all = slices.Grow(all, len(p.oldest))
	for key, queue := range p.lanes {
		if head := p.heads[key]; head != nil && p.holds(head.record) {
			all = append(all, head.unfinished(len(queue)))
		}
		for i, r := range queue {
			all = append(all, waiting(r, WaitingForConversation, len(queue)-1-i))
		}
	}
	behind := map[string]int{}
	for _, r := range slices.Backward(p.early) {
		key := laneKey(r)
		all = append(all, waiting(r, WaitingForLedger, behind[key]))
		behind[key]++
	}
	return all
}

// holds tells whether the record's command has not ended.
func (p *partition) holds(r *kgo.Record) bool {
	_, open := p.oldest[r.Offset]
	return open
}

func waiting(r *kgo.Record, doing Doing, behind int) Unfinished {
	return Unfinished{
		Conversation: string(r.Key), Partition: r.Partition, Offset: r.Offset,
		IssuedAt: r.Timestamp, Doing: doing, Behind: behind,
	}
}

func (p *progress) unfinished(behind int) Unfinished {
	s := p.now.Load()
	doing, next := s.told()
	u := waiting(p.record, doing, behind)
	u.Since, u.Next, u.API = p.since, next, s.api
	u.Attempts, u.LastError, u.LastStatus = s.attempts, s.last.message, s.last.status
	if s.reply != nil {
		u.CommandID, u.IssuedAt, u.Action = s.reply.CommandID, s.reply.IssuedAt, schemas.ActionName(s.reply.Action)
	}
	return u
}
