// Package ringcentral calls RingCentral's messaging APIs: Engage Digital (Dimelo 1.0) by [NewEngage], and the RingCentral platform by
// [NewPlatform]: contents and identities of Social or Advanced Messaging, text messages, the message store, subscriptions.
//
// It makes one HTTP exchange a call and says truthfully how it ended. It does not retry, back off, open circuits or look
// for what a lost call may have created: its callers do, and they decide by the [Error] it returns. It keeps the API's
// limits for the whole process: every call passes one budget, most urgent first, and nobody is let through a penalty window.
//
// # How a call goes
//
//	          ErrNoBudget, ctx done              ErrTooLate, cannot connect
//	                ▲                                    ▲
//	caller ──▶ [ budget ] ──▶ [ connection ] ──▶ [ gate: the first byte ] ──▶ on the wire ──▶ answered
//	                ▲                                    │                         │              │
//	                └── a penalty began meanwhile ───────┘                         ▼              ▼
//	           ─────────────── NotSent ──────────────────────────────────▶   Unknown    2xx, Refused, Unknown
//
// Engage counts all calls together and is entered with a fixed token. The platform counts in groups, which are learned from its answers, and
// with a token that is renewed; between budget and connection a call gets the one that is valid then. To a 401 the call answers with a renewal
// and goes once more, which is the only time that a call is sent twice, as a 401 is a refusal.
//
// The gate stands at the connection's own Write, as late as a program can look: there a call is told that its start
// deadline has passed (see [WithStartDeadline]) or that a penalty window has begun, and there a call becomes "may have
// happened". A call that ended before the gate is barred from passing it later, so [NotSent] is a proof and not a guess.
//
// # What net/http does by itself, and what is done about it
//
//   - Redirects are never followed: the token, or the text, would go where the redirect says.
//   - A request on a reused connection that failed is repeated silently, if it is a GET or if nothing of it was written. A POST of
//     which a byte was written is not; the gate refuses a second start of a POST all the same.
//   - HTTP/2 is off: one connection carries one call, so that the fate of a connection is the fate of one call.
//   - Closing a socket leaves its unsent bytes to the kernel, which may deliver them minutes later. A connection closed while its call
//     is unanswered is reset instead, so that a request given up does not arrive after its look-up.
//
// All of this needs a transport the package can look into: nil or an *http.Transport in [Deps]. With any other
// RoundTripper the gate stands just before RoundTrip, and only a failure to connect counts as NotSent after it.
package ringcentral
