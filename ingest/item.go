package ingest

import (
	"fmt"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// MaxName is the longest key, kind or id that is taken in, in bytes. Those of RingCentral have some
// dozens; publish keeps them in memory and in records of compacted topics.
const MaxName = 1024

// An Item is one thing to take in: an event of a webhook, a row of a page.
type Item struct {
	// Key is the conversation that the item belongs to: it decides the partition,
	// and with it the order. Empty = it belongs to none.
	Key string
	// TraceParent goes along as a header; empty = a new trace.
	TraceParent string
	// Arrival holds what came. The inbox fills in ArrivalID, Account and, where it
	// is zero, ReceivedAt.
	Arrival schemas.Arrival
}

// Fault returns why the item can't be used, whatever its topic takes; nil = it can.
func (i Item) Fault() error {
	names := map[string]string{"key": i.Key, "kind": i.Arrival.Kind}
	if i.Arrival.ResourceID != nil {
		names["resource id"] = *i.Arrival.ResourceID
	}
	for what, name := range names {
		if len(name) > MaxName {
			return fmt.Errorf("a %s of %d bytes: at most %d are taken", what, len(name), MaxName)
		}
	}
	return nil
}

// Refusal returns the item as a dead letter. The reason is invalid: it could be read, but cannot be
// used.
func (i Item) Refusal(why error) Refusal {
	r := Refusal{Body: i.Arrival.Body, Message: why.Error(), Reason: deadletter.Invalid, TraceParent: i.TraceParent}
	if len(i.Key) <= MaxName {
		r.Key = i.Key
	}
	return r
}

// A Refusal is input that came from where it should but that cannot be used. It is
// kept, as a dead letter, for people to look at.
type Refusal struct {
	Body        []byte            // the bytes as received
	Message     string            // what is wrong with them; nothing of the bytes themselves
	Reason      deadletter.Reason // empty = undecodable: no parser understands it
	Key         string            // of the record; empty = none
	TraceParent string            // empty = a new trace
	Headers     []Header
}

// A Header is one that came with the bytes and is needed to understand them.
type Header struct{ Name, Value string }
