// Package crash is the harness that tries to break the bridge's guarantees: `make crash`.
//
// It runs a real Kafka and registry, a simulated account, and two replicas of the real program, built with the tag
// failpoints. Traffic goes both ways, in rounds. In each round a seed decides what goes wrong:
//
//	traffic ──▶ something is killed, frozen, cut off or lies ──▶ it is mended ──▶ quiet ──▶ count on both sides
//
// The account is one of both APIs. Engage Digital sends webhooks again until they are taken; the platform notifies once, in
// no order, through a front that asks both replicas, and what it loses the poller must find. Beside each round's disturbance
// one more thing goes wrong at the platform: tokens, lists, the subscription, a backfill that dies half-way. In two rounds
// of three the APIs are odd besides: they clamp pages and lose counts, their tokens cycle or expire, they refuse an order, a
// page size or a filter, write numbers as text, fail single reads, and send webhooks that lack fields (oddities.go).
//
// Quiet is a condition, not a time: everything told has its event, every command its final result, no group lags, no
// transaction is open. Then the newest event of each content and message must show what the APIs show of it, field by
// field. What has not come within a bound counts as missing. State is kept over the rounds, so what a
// round spoils shows in that round or a later one.
//
// The seed decides what is disturbed, where and when, and what is sent; the machine's timing is not the seed's, so the
// same seed makes the same attempts, not the same interleaving.
//
// Each replica has a spool on a disk of its own. A power cut takes from it what was not fsynced, as far as the process told:
// the kernel would keep it. Between two spools order is not promised, and where an earlier message may wait in the one
// and a later one was sent to the other, it is not counted.
//
// A broker that is killed often forgets a transaction at times, and its readers wait for good. The harness does what an
// operator would, and counts it: realparts.Kafka.EndHanging.
//
// A Book counts. It is pure, and its tests show that it sees each kind of fault. That the whole harness does is shown by
// leaving one safeguard of the program out: `make crash-mutants`.
//
// What it does not simulate: more than one broker, and disks that lose what was fsynced.
package crash
