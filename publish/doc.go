// Package publish turns what came in into events: it reads the inbox, drops what
// was seen, adds what the API knows, and writes each event to its topic exactly
// once.
//
//	inbox ─▶ decode ─▶ parse ─▶ weigh ─▶ enrich ─▶ encode ─┐
//	            │         │       ▲ │                       ▼
//	            │         │       │ └─ repetition ─▶ │ transaction: contents, messages, activity, identities,
//	            └────┬────┘       │                  │ inbox.dlq, seen, and the inbox's offsets
//	            inbox.dlq       seen                 └──▶ committed ─▶ memory
//
// The loop is a read-process-write one in Kafka transactions: an event, the
// record of having seen it and the offset of what it was made from become
// visible together or not at all. A transaction that did not commit, for
// whatever reason, is redone from the committed offsets, with the state read
// again from the topic seen, so that not knowing how it ended does no harm.
//
// # Ownership
//
// The state of inbox partition p lives in partition p of seen, and its events go
// to partition p of their topics. Whoever owns p in the consumer group owns the
// state with it:
//
//	assigned ──first record──▶ loaded ──committed──▶ loaded, merged
//	    ▲                        │
//	    └── revoked, lost, assigned again, or a transaction that did not commit
//
// A loop of one process is one goroutine; more replicas share the partitions.
//
// Identities met as authors go through the inbox, to the partition of their own
// key, so that each has one owner too. The markers of their transactions take
// offsets there: a tool that subtracts offsets shows a lag of one when there is
// none.
//
// # What it does not do
//
// It keeps no order between conversations, asks the API for nothing that an
// event can't go without, and waits for no answer longer than its bound. It
// never asks whether an event is interesting: what no parser knows is activity.
// It gives nothing up for one odd field: that is null or empty, raw keeps it, and
// ringbridge_publish_odd_fields_total counts it. A letter is only what is no JSON
// object, an event without a type, and what has no id.
package publish
