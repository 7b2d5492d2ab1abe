// Package sandbox is a simulated Engage Digital (Dimelo API 1.0) and, beside it, a simulated RingCentral platform: one
// http.Handler with its state in memory, for tests, for the demo and for the sandbox command. Both behave as the APIs are
// documented, traps included, not as a client would like them. They share listener, faults, call log and clock, and nothing
// else: a content of one is not in the other.
//
// # Engage Digital
//
// Everything is under /1.0 and wants the token, as a Bearer header or as the parameter access_token; parameters may come in
// the query, in a form or in a JSON body, lists as name[].
//
//	GET  /1.0/contents               q, order, offset, limit (30, at most 150)
//	GET  /1.0/contents/{id}
//	POST /1.0/contents               creates a reply or a discussion; published later (content.exported)
//	GET  /1.0/identities             sort, newest first; source_id, foreign_id, identity_group_ids, user_id
//	GET  /1.0/identities/{id}
//	GET  /1.0/content_threads/{id}
//	GET  /1.0/interventions          POST with content_id engages; GET /1.0/interventions/{id}
//	POST /1.0/bots/handover
//	POST /1.0/attachments            multipart; GET /1.0/attachments/{id}; the bytes at /attachments/{id}
//	GET  /1.0/events                 the journal
//	GET  /1.0/webhooks               the registration, without its secret
//
// Traps kept on purpose: pages shift when rows arrive; a late import has an old created_at and a new id (whose first four
// bytes are the import time); a list shows a new content only after Config.IndexLag, while a get by id sees it at once; a
// reply marks its parent replied; a content is made before its export succeeds; a 429 tells no Retry-After; a webhook holds
// no attachments, arrives out of order, and is sent again unless it was answered exactly 200.
//
// # The platform
//
// See [Platform] and [PlatformConfig]. What is below …/ is the user's own, /restapi/v1.0/account/~/extension/~, or with ids.
//
//	POST /restapi/oauth/token        JWT and refresh_token grants; POST /restapi/oauth/revoke ends a session
//	GET  /cx/social-messaging/v1/contents        filters, orderBy, keyset pages; GET …/contents/{id}, POST …/contents
//	GET  /cx/social-messaging/v1/identities      GET …/identities/{id}; all of it also under /engage/advanced-messaging/v1
//	POST …/sms                       JSON, or multipart with files
//	GET  …/message-store             GET, PUT, PATCH, DELETE …/message-store/{id}; GET …/{id}/content/{attachment}; owner
//	GET  …/message-sync              FSync and ISync
//	GET  …/phone-number
//	POST /restapi/v1.0/subscription  GET; GET, PUT, DELETE …/{id}; POST …/{id}/renew
//
// Traps kept on purpose: a refresh ends the old access token at once; every request inside a
// penalty window begins it again (and is counted as an offender, also when its token is dead or a
// fault spoils it); a rate group is spelled Light here and light there; a filter with a wrong name
// is ignored and gives everything, as does a page token without the filters it came with;
// conversationId is a number beyond 2^53, and all there is in the answer to a sent text;
// creationTime has whole seconds, and a frame that begins within one misses the message; a text is
// Queued, whatever becomes of it, and Unread only in the answer that made it; texts of a call
// queue's number are in the queue's store, and in the user's lists only for one who names the
// owner; a content that Social Messaging made is answered 201; a second DELETE purges, and one
// without an id deletes everything; a sync overlaps by five seconds, has no pages, returns more
// than was asked for, and shows nothing of what was deleted but the id; expiresIn inside
// deliveryMode is not seen; two subscriptions may be alike; a notification that fails is lost, and
// a subscription whose notifications fail for ten minutes is blacklisted for good.
//
//	message      Queued ──SentAfter──▶ Sent ──DeliveredAfter──▶ Delivered        or SendingFailed, DeliveryFailed
//	             Alive ──DELETE──▶ Deleted ──DELETE, or 5 days──▶ Purged          PATCH restores what is Deleted
//	subscription Active ──10 min of failure──▶ Blacklisted                         either ends with its time
//
// # What it deliberately does not
//
// Of the platform: one user, one application. No bulk requests (ids with commas), no ranges of a download, no retention by
// count, no reminders of expiry, no other transport than WebHook, no upload of attachments for contents (nothing public tells
// how). Blacklisted subscriptions are never tried again. Message statuses other than by time or control do not change. The
// codes of a wrong client (OAU-153), of a number that cannot send (MSG-304), of unknown resources (CMN-102) and of 5xx
// (CMN-201) are guesses; so is that a call queue's message is found by its id in the user's store, and that a sync takes owner.
//
// Of Engage Digital: there is one token, one user, no permissions. What the documentation leaves open is refused (422) where a client could come
// to rely on it: unknown q keywords, other orders. The webhook is never switched off for its error ratio. Customers writing
// into a closed thread leave it closed. The body of a 401, the identifiers of most errors and the elements of "errors" are
// guesses: nothing public tells them.
//
// # The life of a reply
//
//	POST /1.0/contents ──▶ export_pending ──ExportDelay──▶ success
//	        │ content.replied                     │ content.exported
//	        ▼                                     ▼
//	     webhook ──200──▶ delivered;  else again after 32 s, 4 min, 17 min, 52 min, 2 h, then dropped
//
// # The control surface
//
// Under /sandbox/, without a token and untouched by faults; JSON in and out. Each has its Go method on [Server].
//
// A customer writes (all fields optional: see [Import]), once or many times, with or without a webhook:
//
//	curl -d '{"body":"Where is my order?","author":"Ann"}' localhost:8090/sandbox/contents
//	curl -d '{"count":200,"webhook":false}' localhost:8090/sandbox/contents
//	curl -d '{"created_at":"2026-01-02T03:04:05Z"}' localhost:8090/sandbox/contents     # a late import
//	curl localhost:8090/sandbox/contents                                                # all, unpaged
//
// Edit a content, add or change an identity, close a thread, engage an agent and let go again:
//
//	curl -d '{"body":"edited"}' localhost:8090/sandbox/contents/ID
//	curl -d '{"fields":{"title":"New subject","category_ids":["c1"]}}' localhost:8090/sandbox/contents/ID
//	curl -d '{"id":"ID","display_name":"Ann B."}' localhost:8090/sandbox/identities
//	curl -X POST localhost:8090/sandbox/threads/ID/close        # …/open undoes it
//	curl -d '{"identity_id":"ID"}' localhost:8090/sandbox/interventions
//	curl -X POST localhost:8090/sandbox/interventions/ID/close
//
// Where webhooks go (this runs the handshake; a failed one leaves the webhook disabled), how badly, and what became of them:
//
//	curl -d '{"url":"http://127.0.0.1:8080/webhooks/engage","secret":"s","verify_token":"v"}' localhost:8090/sandbox/webhook
//	curl -d '{"loss_rate":0.1,"duplicate_rate":0.2,"reorder":true}' localhost:8090/sandbox/delivery
//	curl -d '{"omit_rate":0.5,"keep":["thread_id"],"issued_shift":"-5s","gzip":true}' localhost:8090/sandbox/delivery
//	curl localhost:8090/sandbox/delivery
//
// Faults (see [Fault]). They come before the token, the limit and everything else; the first that matches applies:
//
//	curl -d '{"route":"POST /1.0/contents","statuses":[503,429],"retry_after":"3"}' localhost:8090/sandbox/faults
//	curl -d '{"route":"POST /1.0/contents","rate":0.05,"status":500,"after_effect":true}' localhost:8090/sandbox/faults
//	curl -d '{"route":"POST /1.0/contents","match":{"thread_id":"ID"},"status":503}' localhost:8090/sandbox/faults
//	curl -d '{"route":"POST /1.0/contents","reset":"after","times":1}' localhost:8090/sandbox/faults
//	curl -d '{"route":"GET /1.0/contents/{id}","hang":true,"times":2}' localhost:8090/sandbox/faults
//	curl localhost:8090/sandbox/faults ; curl -X DELETE localhost:8090/sandbox/faults
//
// Quirks are faults after which the call goes on: what it asks, or the answer, deviates from the documentation. Several
// apply to one call. [Quirks] lists them, as does GET /sandbox/quirks:
//
//	curl -d '{"route":"GET /1.0/contents","quirk":"page_clamped","value":30}' localhost:8090/sandbox/faults
//	curl -d '{"route":"GET /1.0/contents","quirk":"count","value":"absent"}' localhost:8090/sandbox/faults
//	curl -d '{"quirk":"order_refused","value":"EDI-036"}' localhost:8090/sandbox/faults
//	curl -d '{"quirk":"sync_token_refused","value":"404 CMN-102","times":1}' localhost:8090/sandbox/faults
//	curl -d '{"route":"GET /1.0/contents/{id}","quirk":"attachments_late","per":"id","times":1}' localhost:8090/sandbox/faults
//	curl -d '{"route":"GET /1.0/contents","quirk":"row_fields","value":{"category_ids":{}}}' localhost:8090/sandbox/faults
//
// The platform, under /sandbox/platform (see [MessageImport], [SocialImport], [Notifications]):
//
//	curl -d '{"text":"Hello","from":"+16505550199"}' localhost:8090/sandbox/platform/messages
//	curl -d '{"direction":"Outbound","count":100,"hint":false}' localhost:8090/sandbox/platform/messages
//	curl -d '{"status":"DeliveryFailed","error_code":"SMS-CAR-430"}' localhost:8090/sandbox/platform/messages/ID
//	curl -d '{"body":"Where is my order?","author":"Ann"}' localhost:8090/sandbox/platform/contents
//	curl -d '{"body":"edited"}' localhost:8090/sandbox/platform/contents/ID         # lastModifiedTime moves
//	curl -d '{"displayName":"Ann B.","id":"ID"}' localhost:8090/sandbox/platform/identities
//	curl -X POST localhost:8090/sandbox/platform/sync-tokens/expire
//	curl -X POST localhost:8090/sandbox/platform/tokens/expire                      # …/credentials/revoke, …/credentials/restore
//	curl -X POST localhost:8090/sandbox/platform/rates/light/exhaust                # the next call is one too many
//	curl localhost:8090/sandbox/platform/subscriptions
//	curl -X POST localhost:8090/sandbox/platform/subscriptions/ID/blacklist         # …/expire; DELETE …/ID
//	curl -d '{"hint_loss_rate":0.5}' localhost:8090/sandbox/platform/notifications  # GET: what became of them
//	curl -d '{"event":"/restapi/v1.0/…","body":{}}' localhost:8090/sandbox/platform/events
//	curl localhost:8090/sandbox/platform                # authentications, limits, offenders, disasters, notifications
//
// What was called, and starting over:
//
//	curl 'localhost:8090/sandbox/calls?since=0'
//	curl -X DELETE localhost:8090/sandbox
package sandbox
