// Package subscribe keeps the platform's webhook alive: one subscription of our
// address, with our filters, renewed before it expires, made anew when it was
// blacklisted, deleted or has expired.
//
//	list ──none──▶ create ──────────────┐
//	  │ ours                            │
//	  ├─blacklisted─▶ delete, create ───┤
//	  ├─other filters─▶ update ─────────┼──▶ wait ──▶ list …
//	  ├─half of its life is over─▶ renew┤
//	  └─well────────────────────────────┘
//
// One replica keeps it, as several would create several: the caller runs the Keeper
// where one only runs at a time. It is found again by its address, so nothing is
// remembered over restarts, and a creation of which the outcome is unknown is looked
// for before it is repeated.
//
// The platform repeats no notification: what a dead subscription missed polling finds,
// which is woken after every heal. A Watchdog tells when a channel falls silent.
//
// The verification token cannot be read back: a subscription keeps the one it was made
// with. To rotate it, put the new one first in the list and leave the old one second
// until the subscription was made anew, which deleting it brings about.
package subscribe
