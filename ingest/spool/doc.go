// Package spool keeps webhooks on disk while Kafka cannot be reached, so that an
// outage of the broker is none for the sender.
//
//	            ┌─ direct ──▶ inbox (acknowledged within a second) ──▶ 200
//	webhook ─▶ Spool
//	            └─ spooling ▶ segment file, fsynced ──▶ 200 ─ ─ drained, in order ─ ─▶ inbox
//
//	direct ───── one item not acknowledged in time ─────▶ spooling
//	       ◀──── all that is spooled was acknowledged ───
//
// A [Spool] stands before the inbox. While it spools, everything goes through the
// disk: what came later must not overtake what waits. On the way in, all that is
// under way to the broker moves to the disk in the order in which it came; some of
// it may reach the inbox twice, and publish drops the second. It goes back to
// direct the first time that nothing waits; under a load that never pauses it goes on
// through the disk, drained a few milliseconds later.
//
// A spool that can take no more, because it is full, the disk is, or the disk
// fails, answers with an error (503) and goes on: nothing ends the process. One
// process uses a directory, held by a lock.
//
// Order is kept within a spool. Spools of several processes know nothing of each
// other: what waits in one may be overtaken by what came later and went to
// another process. To keep the order of conversations over an outage, send all
// webhooks to one process.
//
// # Files
//
// A segment is named NUMBER-MARKER.spool: a number that counts up, which is the
// order, and eight random bytes in hexadecimal. It holds records, one an item:
//
//	marker   8 bytes, the same as in the name
//	length   4 bytes, big-endian: of the payload
//	checksum 4 bytes, big-endian: CRC-32C of length and payload
//	payload  0x01, the length of the head (uvarint), the head (JSON), the body as received
//
// The marker finds the next record behind damaged bytes. It is not to be guessed,
// so that no body can pretend to be a record.
//
//	written ─▶ fsynced, then 200 ─▶ drained, then deleted   (all records acknowledged)
//	                                   └──▶ NUMBER-MARKER.corrupt   (some could not be read)
//
// Requests that come together share one write and one fsync. A new segment's
// name is fsynced (its directory is) before its first record counts. A process that
// dies between the acknowledgement and the deletion drains the segment again.
//
// At the start, bytes behind the last record of the newest segment are a write that
// was cut short: nobody was told 200 for it, so it is cut off. Bytes that are no
// record anywhere else are damage: the records around them are drained, and the
// file is kept under the name .corrupt, for people to look at. Those files do not
// count against the limit and are never deleted here.
package spool
