// Package publish turns what came in into events: it reads the inbox, drops what
// was seen, adds what the API knows, and writes each event to its topic exactly
// once.
//
//	inbox ─▶ decode ─▶ parse ─▶ hold ─▶ reduce ─▶ encode ─┐
//	            │         │      ▲  │     ▲ │               ▼
//	            │         │      │  │     │ └─ repetition ─▶ transaction: contents, messages, activity, identities,
//	            └────┬────┘     API │   seen                 inbox (what was fetched late), inbox.dlq, seen,
//	            inbox.dlq           └─ what is late follows  and the inbox's offsets
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
// Identities that were fetched as authors go through the inbox, to the partition of their own key, so
// that each has one owner too. The markers of their transactions take offsets there: a tool that
// subtracts offsets shows a lag of one when there is none.
//
// # Convergence
//
// For each content and message the state holds the newest value of every field that its event has:
// those of the newest row, and over it what webhooks have shown since. An event shows all of them,
// whatever its own arrival has shown, and an update follows exactly where they differ from what the
// event before has shown. So the newest event equals the source's state once everything has come in,
// in whatever order. A webhook that lacks a field, or holds null, says nothing of it; a row says that
// it is empty. See resource for which of two observations is newer.
//
// # Holding
//
// A content whose author is not known, or that came by webhook and so lacks fields, is held while the
// API is asked, for ENRICH_TIMEOUT at most, and with it the later records of its conversation. All
// others go on. The group's offset stays at the first record that is held: what is published behind
// it comes again after a crash, and the state knows it. Without budget, and while the API does not
// answer, nothing is held. What is fetched late comes in as a row does.
//
// # What it does not do
//
// It keeps no order between conversations, and waits for no answer longer than its bound. It
// never asks whether an event is interesting: what no parser knows is activity.
// It gives nothing up for one odd field: that is null or empty, raw keeps it, and
// ringbridge_publish_odd_fields_total counts it. A letter is only what is no JSON
// object, an event without a type, and what has no id.
package publish
