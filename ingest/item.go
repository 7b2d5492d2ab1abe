package ingest

import "github.com/ringbridge/ringbridge/schemas"

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

// A Refusal is input that came from where it should but that no parser
// understands. It is kept, as a dead letter, for people to look at.
type Refusal struct {
	Body        []byte // the bytes as received
	Message     string // what is wrong with them; nothing of the bytes themselves
	TraceParent string // empty = a new trace
	Headers     []Header
}

// A Header is one that came with the bytes and is needed to understand them.
type Header struct{ Name, Value string }
