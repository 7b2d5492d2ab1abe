// Package consume carries out reply commands: it reads them from the replies
// topic, calls RingCentral, and leaves one final result for each.
//
// # The life of a command
//
//	         ┌──────────────────────── wait: backoff, Retry-After, circuit, halt ◀──┐
//	         ▼                                                                      │
//	read ─▶ decode ─▶ known? ─▶ valid? ─▶ ATTEMPTING on record ─▶ call ─▶ Judge ────┤
//	           │         │         │                               │        │       │
//	           │         │         │                            success   LookUp ───┤ not there
//	           ▼         ▼         ▼                               │        │ there
//	         letter   nothing    letter                            ▼        ▼
//	                (duplicate)  and result                     SUCCEEDED (recovered)
//
// A command ends as SUCCEEDED, or as DEAD_LETTERED with its letter. Its result,
// its letter and its committed offset are one Kafka transaction, so there is
// never one without the others.
//
// # Order and concurrency
//
// Commands with equal keys form a lane and are carried out one after another;
// lanes run side by side. A lane that waits holds no call slot, so a stuck
// conversation holds up no other. Offsets are committed only up to what is
// finished without a gap.
//
// # Never twice
//
// RingCentral has no idempotency key. Before each call an attempt is put on
// record, in a transaction that the group coordinator refuses to a member that
// no longer owns the partition; a call may not start long after its record.
// Where the outcome of a call is unknown (a time-out, a reset, a 5xx, a crash),
// the effect is looked up, several times, before anything is sent again. So it is
// for what was under way when the ledger itself was lost: see ledgerlost.go.
//
// # What it leaves out
//
// It knows neither webhooks nor polling, and it does not send letters back:
// that is the operator's, with ringbridge dlq.
package consume
