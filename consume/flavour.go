package consume

import (
	"context"
	"time"
)

// A flavour is one of the APIs that commands are carried out with. Each has a
// gate of its own: what is down or refused in one stops nothing of the others.
type flavour int

const (
	flavourEngage flavour = iota // Engage Digital
	flavourSocial                // contents of the platform
	flavourSMS                   // text messages and the message store of the platform
	flavours
)

// String returns the flavour as metrics, logs and readiness write it.
func (f flavour) String() string {
	return [...]string{"engage", "social", "sms"}[f]
}

// credential names the settings that hold what the API may refuse.
func (f flavour) credential() string {
	if f == flavourEngage {
		return "ENGAGE_ACCESS_TOKEN"
	}
	return "RINGCENTRAL_CLIENT_ID, RINGCENTRAL_CLIENT_SECRET, RINGCENTRAL_JWT"
}

// component is the flavour's name to Health.
func (f flavour) component() string { return component + "." + f.String() }

// apis are what actions call. One that is off is nil.
type apis struct {
	engage   Engage
	social   Social
	messages Messages
}

// off says which settings turn a flavour on that a command needs.
type off struct{ what, settings string }

func (e off) Error() string {
	return e.what + " is off in this bridge: " + e.settings + " turns it on"
}

// now is the time by the clock of a flavour's API, which must be on.
func (a apis) now(ctx context.Context, f flavour) (time.Time, error) {
	clocks := [flavours]interface {
		Now(context.Context) (time.Time, error)
	}{flavourEngage: a.engage, flavourSocial: a.social, flavourSMS: a.messages}
	return clocks[f].Now(ctx)
}

func (a apis) missing(f flavour) error {
	switch {
	case f == flavourEngage && a.engage == nil:
		return off{"Engage Digital", "ENGAGE_BASE_URL"}
	case f == flavourSocial && a.social == nil:
		return off{"the platform's contents API", "RINGCENTRAL_CLIENT_ID, with RINGCENTRAL_CONTENTS_PATH,"}
	case f == flavourSMS && a.messages == nil:
		return off{"the RingCentral platform", "RINGCENTRAL_CLIENT_ID"}
	}
	return nil
}
