package subscribe

import (
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// unknownTerm is from renewal to renewal where nobody says how long the subscription
	// lives: the shortest life that webhooks are known to have is a week.
	unknownTerm = 24 * time.Hour
	// leastTerm is the least time between two renewals, whatever life is granted.
	leastTerm = 2 * time.Minute
)

// A term is the life that a subscription was granted. It is renewed when half of it is
// over, so that the other half is left to mend what hinders it.
type term struct {
	id     string
	from   time.Time // when it was granted; zero = before this process looked
	expiry time.Time // zero = unknown
}

// grant begins a term with an answer to a call that was made at from.
func grant(s ringcentral.Subscription, from time.Time) term {
	t := term{id: s.ID, from: from}
	t.look(s, from)
	return t
}

// find begins the term of a subscription that this process did not make: how long it was
// granted is what was asked for, or the time since its creation if that is less.
func find(s ringcentral.Subscription, now time.Time) term {
	t := term{id: s.ID}
	left, known := remaining(s, now)
	if !known {
		return t
	}
	t.expiry = now.Add(min(left, life))
	granted := life
	if whole := s.ExpirationTime.Sub(s.CreationTime.Time); !s.CreationTime.IsZero() && whole > 0 {
		granted = min(whole, life)
	}
	t.from = t.expiry.Add(-max(granted, min(left, life)))
	return t
}

// look takes in what is shown now. The earliest expiry counts: a life that is shown as
// longer was not granted to us.
func (t *term) look(s ringcentral.Subscription, now time.Time) {
	left, known := remaining(s, now)
	if !known {
		return
	}
	expiry := now.Add(min(left, life))
	if t.expiry.IsZero() || expiry.Before(t.expiry) {
		t.expiry = expiry
	}
}

// due returns when the subscription is to be renewed.
func (t *term) due() time.Time {
	if t.expiry.IsZero() {
		return t.from.Add(unknownTerm)
	}
	return t.from.Add(max(t.expiry.Sub(t.from)/2, leastTerm))
}

// remaining returns how long a subscription will live. Of the two ways to say so the
// shorter counts; one in the past is taken for a clock that is wrong, as who has expired
// is not listed.
func remaining(s ringcentral.Subscription, now time.Time) (time.Duration, bool) {
	left := time.Duration(s.ExpiresIn) * time.Second
	if until := s.ExpirationTime.Sub(now); !s.ExpirationTime.IsZero() && until > 0 && (left <= 0 || until < left) {
		left = until
	}
	return left, left > 0
}
