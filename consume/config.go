package consume

import (
	"errors"
	"fmt"
	"time"
)

// What OnAmbiguous may say.
const (
	// AmbiguousDeadLetter gives a command up when it cannot be told whether it
	// had its effect: no customer is answered twice.
	AmbiguousDeadLetter = "dead-letter"
	// AmbiguousResend sends it again: no customer stays unanswered.
	AmbiguousResend = "resend"
)

// Config says how commands are carried out.
type Config struct {
	Concurrency     int           `env:"REPLIES_CONCURRENCY,default=16"`           // calls at once, for each process
	MaxAttempts     int           `env:"REPLIES_MAX_ATTEMPTS,default=8"`           // calls that may fail before a command is given up
	BackoffMin      time.Duration `env:"REPLIES_BACKOFF_MIN,default=1s"`           // bound of the first wait between attempts
	BackoffMax      time.Duration `env:"REPLIES_BACKOFF_MAX,default=1m"`           // bound of every wait
	CallTimeout     time.Duration `env:"REPLIES_CALL_TIMEOUT,default=30s"`         // of one call, from its first byte
	CircuitFailures int           `env:"REPLIES_CIRCUIT_FAILURES,default=10"`      // failures in a row, over two conversations or more, that are an outage
	OnAmbiguous     string        `env:"REPLIES_ON_AMBIGUOUS,default=dead-letter"` // dead-letter or resend
}

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	var faults []error
	atLeast := func(name string, value, least int) {
		if value < least {
			faults = append(faults, fmt.Errorf("%s: is %d; want %d or more", name, value, least))
		}
	}
	atLeast("REPLIES_CONCURRENCY", c.Concurrency, 1)
	atLeast("REPLIES_MAX_ATTEMPTS", c.MaxAttempts, 1)
	atLeast("REPLIES_CIRCUIT_FAILURES", c.CircuitFailures, 1)
	if c.BackoffMin <= 0 {
		faults = append(faults, fmt.Errorf("REPLIES_BACKOFF_MIN: is %s; want more than 0, such as 1s", c.BackoffMin))
	}
	if c.BackoffMax < c.BackoffMin {
		faults = append(faults, fmt.Errorf("REPLIES_BACKOFF_MAX: is %s; want at least REPLIES_BACKOFF_MIN (%s)", c.BackoffMax, c.BackoffMin))
	}
	if c.CallTimeout <= 0 {
		faults = append(faults, fmt.Errorf("REPLIES_CALL_TIMEOUT: is %s; want more than 0, such as 30s", c.CallTimeout))
	}
	if c.OnAmbiguous != AmbiguousDeadLetter && c.OnAmbiguous != AmbiguousResend {
		faults = append(faults, fmt.Errorf("REPLIES_ON_AMBIGUOUS: want %s or %s", AmbiguousDeadLetter, AmbiguousResend))
	}
	return errors.Join(faults...)
}
