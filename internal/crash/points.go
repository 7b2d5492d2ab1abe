package crash

import (
	"slices"
	"strings"
)

// The beginnings of the names of what is in one package.
const (
	spoolPrefix     = "spool/"
	subscribePrefix = "subscribe/"
	backfillPrefix  = "backfill/"
)

// Points are the program's failpoints, in the order of the flow. A test holds them against the code.
func Points() []string {
	return []string{
		"ingest/received",              // a webhook is read, nothing is written
		"ingest/written",               // the broker has it, the sender has no 200
		"spool/created",                // a segment is made, the directory not fsynced
		"spool/named",                  // it is, and the segment empty
		"spool/written",                // webhooks are in the segment, not fsynced
		"spool/synced",                 // fsynced, the senders have no 200
		"spool/recovered",              // a new process has read what an earlier one left, nothing is drained
		"spool/delivered",              // the broker has what was on disk, which says that it waits
		"spool/drained",                // the broker has all of a segment, which is still there
		"spool/deleted",                // the segment is gone, the directory not fsynced
		"poll/rows-written",            // rows are in the inbox, the cursor is where it was
		"poll/cursor-moved",            // moved in memory alone
		"poll/cursor-saved",            // on the topic
		"poll/messages-written",        // texts are in the inbox, the sync token is where it was
		"subscribe/removed",            // what was blacklisted is deleted at the platform, nothing stands for it
		"subscribe/created",            // the platform has a subscription, nobody has taken note
		"backfill/rows-written",        // rows are in the inbox, the place is where it was
		"backfill/place-saved",         // on the topic
		"publish/begun",                // the transaction is open, and empty
		"publish/produced",             // events, state and letters written, offsets not
		"publish/ended",                // committed, the memory not told
		"consume/taken",                // a command is about to be tried, no record says so
		"consume/ledger-begun",         // the ledger's transaction is open, and empty
		"consume/ledger-produced",      // attempt or result written, offsets not
		"consume/ledger-offsets-added", // offsets too, not committed
		"consume/ledger-committed",     // committed, the lane not told
		"consume/attempt-recorded",     // the attempt is on record, the call not made
		"consume/called",               // the call was made, its result is not on record
		"consume/looked-up",            // the effect was looked for, nothing was done about it
	}
}

// Unvisited are the failpoints that the harness does not come by, each with its reason.
func Unvisited() []string { return nil }

// pointsOf are those whose names begin so.
func pointsOf(prefix string) []string {
	return slices.DeleteFunc(Points(), func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// replicaPoints are those of a replica.
func replicaPoints() []string {
	return slices.DeleteFunc(Points(), func(name string) bool { return strings.HasPrefix(name, backfillPrefix) })
}

// backfillPoints are those of a backfill, which is a process of its own.
func backfillPoints() []string { return pointsOf(backfillPrefix) }

// zombiePoints are those before something that a process may not do any more once the group has moved on without it.
func zombiePoints() []string {
	return []string{
		"poll/cursor-moved", "subscribe/removed", "publish/begun", "publish/produced", "consume/taken", "consume/ledger-begun", "consume/ledger-produced",
		"consume/attempt-recorded", "consume/called",
	}
}

// spoolPoints are passed only while the broker is away, or after that.
func spoolPoints() []string { return pointsOf(spoolPrefix) }

// Failures are the calls of the system that the program can be told to have fail.
func Failures() []string {
	return []string{"spool/create", "spool/sync-names", "spool/write", "spool/sync"}
}

// Safeguards are what the program can be told to leave out, to see the harness catch it.
func Safeguards() []string {
	return []string{"look-up", "fencing", "start-window", "dedupe", "contiguous-commit", "ack", "spool-fsync"}
}
