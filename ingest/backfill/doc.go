// Package backfill puts history into the inbox: the rows of the API's lists that are
// older than the first start of the bridge, which polling leaves alone.
//
//	place ──▶ seek ──▶ page ──▶ inbox ──▶ place moves ──┐
//	            ▲ since          ▲                      │
//	            └─ none          └──────── until ◀──────┘
//
// A stream is read oldest first, so that a conversation's history is written in the
// order in which it happened. The place of each stream is kept in the topic cursors
// under a key of its own, and moves only when what lies before it is in the inbox:
// who stops at any line goes on there, and writes again at most one page, whose
// repetitions the next stage drops.
//
// What the API does not give (a row, what lies behind a page token, a minute of the message
// store) does not stop it: what can be read around it is written, the place stays before it, and
// Run returns ErrIncomplete, so that the next run reads it again. A refused order, page size or
// page token is replaced by another one.
//
// It reads each list once, to the time at which it began. What comes in later, and
// late rows with an old date, are the poller's. It does not look at what webhooks and
// rounds have brought already: that costs the API nothing and the next stage little.
package backfill
