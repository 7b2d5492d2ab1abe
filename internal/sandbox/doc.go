// Package sandbox is a simulated Engage Digital (Dimelo API 1.0): an http.Handler with its state in memory, for tests, for
// the demo and for the sandbox command. It behaves as the API is documented, traps included, not as a client would like it.
//
// # What it simulates
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
//
// Traps kept on purpose: pages shift when rows arrive; a late import has an old created_at and a new id (whose first four
// bytes are the import time); a list shows a new content only after Config.IndexLag, while a get by id sees it at once; a
// reply marks its parent replied; a content is made before its export succeeds; a 429 tells no Retry-After; a webhook holds
// no attachments, arrives out of order, and is sent again unless it was answered exactly 200.
//
// # What it deliberately does not
//
// There is one token, one user, no permissions. What the documentation leaves open is refused (422) where a client could come
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
//	curl -d '{"id":"ID","display_name":"Ann B."}' localhost:8090/sandbox/identities
//	curl -X POST localhost:8090/sandbox/threads/ID/close        # …/open undoes it
//	curl -d '{"identity_id":"ID"}' localhost:8090/sandbox/interventions
//	curl -X POST localhost:8090/sandbox/interventions/ID/close
//
// Where webhooks go (this runs the handshake; a failed one leaves the webhook disabled), how badly, and what became of them:
//
//	curl -d '{"url":"http://127.0.0.1:8080/webhooks/engage","secret":"s","verify_token":"v"}' localhost:8090/sandbox/webhook
//	curl -d '{"loss_rate":0.1,"duplicate_rate":0.2,"reorder":true}' localhost:8090/sandbox/delivery
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
// What was called, and starting over:
//
//	curl 'localhost:8090/sandbox/calls?since=0'
//	curl -X DELETE localhost:8090/sandbox
package sandbox
