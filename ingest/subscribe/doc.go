// Package subscribe keeps the platform's webhook alive: one subscription of our
// address, with our filters, renewed before it expires, replaced when it was
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
// where one only runs at a time. It is found again by its id, after a restart by its
// address, so nothing is stored, and a creation of which the outcome is unknown is looked
// for before it is repeated.
//
// It is compared by its meaning. Addresses are normalised (RFC 3986, section 6.2.2 and
// 6.2.3); filters are sets of paths and parameters, in which a ~ stands for any id and the
// platform may add parameters; what it disables is reported, not repaired; what it makes of
// the same request is accepted for a day. It is renewed when half of the life that was
// granted is over, once a day where nobody says how long that is. A filter that the
// platform refuses is left out, and tried again once a day.
//
// Whatever the platform answers, the Keeper makes at most six creations and updates, 30
// renewals and 60 deletions of second subscriptions in any hour, and pauses after a
// failure: a minute, doubling up to 15. Each process counts its own.
//
// The platform repeats no notification: what a dead subscription missed polling finds,
// which is woken after every heal. A Watchdog reports when a channel falls silent.
//
// The verification token cannot be read back: a subscription keeps the one it was made
// with. To rotate it, put the new one first in the list and leave the old one second
// until another subscription is made, which deleting this one brings about.
package subscribe
