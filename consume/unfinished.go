package consume

import "time"

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
func (c *Consumer) Unfinished() []Unfinished { return nil }
