// Package poll finds what webhooks missed: it lists contents and identities of
// Engage Digital again and again and puts what is new or changed into the inbox.
//
//	partition assigned ──▶ load cursor ──▶ round ──▶ wait POLL_INTERVAL ──┐
//	      │                    │none         ▲  │                       │
//	      ▼                    ▼             │  └─fault─▶ back off ─┐     │
//	revoked, lost:       from now less       └──────────────────────┴─────┘
//	stop, then let go    POLL_OVERLAP
//
// A round reads newest first, down to POLL_OVERLAP before what is known; a sweep
// is a round that reads back POLL_SWEEP further, for rows that came late with an
// old date. Sweeps run each POLL_SWEEP_INTERVAL, and at once when the list has
// grown by more rows than the rounds have seen. What a round finds is written
// oldest first, and only when all of it is in the inbox the cursor moves: a
// process that dies between any two lines reads again what it may have lost.
//
// Each stream's cursor lives in one partition of the topic cursors. Who is
// assigned the partition runs the stream, so replicas share the streams, and a
// dead one's go to the others. Two owners at once, for the moment in which one has
// not noticed that it lost the partition, do no harm: the inbox gets rows twice,
// and a cursor that goes back only makes its owner read more.
//
// The package does not decide whether a row is news: whatever it may have written
// before it writes again after a restart, and the next stage drops it. It does not
// fetch history either: rows older than the first start belong to backfill.
package poll
