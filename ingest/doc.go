// Package ingest makes what comes from RingCentral durable, and nothing more.
//
//	ingest/webhook ──Item──▶ ┌───────┐ ──acks=all──▶ inbox
//	ingest/poll    ──Item──▶ │ Inbox │
//	                Refusal─▶└───────┘ ──acks=all──▶ inbox.dlq
//
// With ingest/spool between the webhooks and the Inbox, they outlive a broker that
// is away.
//
// An [Inbox] writes each [Item] to the inbox topic as an Avro Arrival with the
// bytes as received, and says yes only when the broker has acknowledged all that
// it was given. What follows from an arrival, and whether it was seen before, is
// not decided here: a thing given up after a time-out and given again may be in
// the inbox twice, and the next stage drops the second.
//
// What its topic cannot hold becomes a dead letter, and what the dead letters cannot
// hold a stub: the first bytes, with length and digest in the message. So nothing
// that comes in can stop what comes after it.
//
// The package calls nothing of RingCentral and reads no topic.
package ingest
