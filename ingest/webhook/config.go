package webhook

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ringbridge/ringbridge/internal/secret"
)

// Config says who may send webhooks, and how much at once.
type Config struct {
	MaxBody       int64         `env:"HTTP_MAX_BODY,default=5242880"` // bytes; more is answered 413
	VerifyToken   secret.String `env:"ENGAGE_WEBHOOK_VERIFY_TOKEN"`   // comma list; hub.verify_token of the handshake must be one of them
	Secret        secret.String `env:"ENGAGE_WEBHOOK_SECRET"`         // comma list; X-Dimelo-Secret must be one of them
	PlatformToken secret.String `env:"RINGCENTRAL_WEBHOOK_TOKEN"`     // comma list; Verification-Token must be one of them
}

const (
	// LargestMaxBody is the largest HTTP_MAX_BODY, in bytes. It leaves room for the Arrival
	// around one event: the inbox takes records of 16 MiB.
	LargestMaxBody = 15 << 20
	// maxSecretBytes is the longest secret that Engage Digital takes. The platform
	// documents no limit for its token.
	maxSecretBytes = 255
)

// Enabled reports whether there is any endpoint. One that cannot tell who sends
// must not run, so without a secret or a token there is none.
func (c Config) Enabled() bool { return c.EngageEnabled() || c.PlatformEnabled() }

// EngageEnabled reports whether the endpoint of Engage Digital is there.
func (c Config) EngageEnabled() bool {
	return len(parts(c.Secret)) > 0 || len(parts(c.VerifyToken)) > 0
}

// PlatformEnabled reports whether the endpoint of the RingCentral platform is there.
func (c Config) PlatformEnabled() bool { return len(parts(c.PlatformToken)) > 0 }

// Validate returns every fault, each naming its variable. No fault repeats a value.
func (c Config) Validate() error {
	var faults []error
	if c.MaxBody < 1 || c.MaxBody > LargestMaxBody {
		faults = append(faults, fmt.Errorf("HTTP_MAX_BODY: want 1 to %d bytes", LargestMaxBody))
	}
	for name, list := range map[string]secret.String{
		"ENGAGE_WEBHOOK_VERIFY_TOKEN": c.VerifyToken, "ENGAGE_WEBHOOK_SECRET": c.Secret, "RINGCENTRAL_WEBHOOK_TOKEN": c.PlatformToken,
	} {
		if list.Reveal() != "" && len(parts(list)) == 0 {
			faults = append(faults, errors.New(name+": is a list of nothing; leave it empty to have none"))
		}
		for _, value := range parts(list) {
			if len(value) > maxSecretBytes || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
				faults = append(faults, fmt.Errorf("%s: want ASCII without spaces, at most %d bytes, several with commas", name, maxSecretBytes))
				break
			}
		}
	}
	return errors.Join(faults...)
}

// parts returns the members of a comma list without the spaces around them.
func parts(list secret.String) []string {
	var found []string
	for part := range strings.SplitSeq(list.Reveal(), ",") {
		if part = strings.TrimSpace(part); part != "" {
			found = append(found, part)
		}
	}
	return found
}
