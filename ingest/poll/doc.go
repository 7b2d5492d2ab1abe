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
// reads back POLL_SWEEP further, for rows that came late with an old date. Sweeps
// run each POLL_SWEEP_INTERVAL, and at once when the list has grown by more rows
// than the rounds have seen. A sweep goes on over as many rounds as it takes, so
// that the newest rows do not wait for it. What a round or a sweep finds is written
// oldest first, and only when all of it is in the inbox the cursor moves: a
// process that dies between any two lines reads again what it may have lost.
//
// A part of the list that the API does not give (a page, an offset, what lies behind
// a page token) holds up nothing: what can be read around it is written, the cursor
// keeps from which time on rows may be missing, and sweeps read back to it, after a
// minute at first and an hour at last, until it has been read.
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
