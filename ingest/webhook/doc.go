// Package webhook receives the webhooks of Engage Digital at /webhooks/engage and
// the notifications of the RingCentral platform at /webhooks/ringcentral. Before
// either is sent, its address is checked:
//
//	Engage     GET   hub.mode, hub.challenge, hub.verify_token ──▶ 200, the challenge
//	platform   POST  Validation-Token and no body              ──▶ 200, Validation-Token
//
// After that, both alike, a notification being a request with one event:
//
//	POST ─▶ secret? ──no──▶ 401, stored nowhere
//	          │yes
//	        body ──over the limit, as it came or decompressed──▶ 413
//	          │
//	        events? ──none──▶ inbox.dlq, the bytes as received ──▶ 200
//	          │yes
//	        inbox, one record an event ──all acknowledged──▶ 200
//	                                   ──else──▶ 503 with Retry-After
//
// It answers 200 only for what is safe, in Kafka or (ingest/spool) on its way there, and nothing but 200 makes the
// sender try again. Input that no parser understands is answered 200 too: it would
// be as wrong at the next try, and after hours of them the sender switches the
// webhook off.
//
// A body may be compressed (gzip, deflate), in any character set that its type names, in UTF-16 or
// UTF-32, or a form with a payload. It may hold several requests, an array of events, or an event
// alone. What stands among good events and is none is a dead letter of its own. Where a name stands
// twice, nothing is dropped: lists of events are joined, and any other event for which this leaves
// open what is meant is a dead letter.
//
// It tells events apart and looks no deeper than the key needs: whether an event
// makes sense, and whether it came before, is decided behind the inbox. It makes
// no call to RingCentral, but tells who follows the message store of hints that
// something changed there.
package webhook
