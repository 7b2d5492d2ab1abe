package poll

import (
	"errors"
	"time"
)

// Config says how often the API is asked, and how far back.
type Config struct {
	Interval      time.Duration `env:"POLL_INTERVAL,default=30s"`      // from the beginning of a round to that of the next
	Overlap       time.Duration `env:"POLL_OVERLAP,default=15m"`       // each round reads back this far beyond what is known
	SweepInterval time.Duration `env:"POLL_SWEEP_INTERVAL,default=1h"` // from sweep to sweep
	Sweep         time.Duration `env:"POLL_SWEEP,default=72h"`         // each sweep reads back this far: how late a row may come
}

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	var faults []error
	for _, setting := range []struct {
		name  string
		value time.Duration
	}{
		{"POLL_INTERVAL", c.Interval},
		{"POLL_OVERLAP", c.Overlap},
		{"POLL_SWEEP_INTERVAL", c.SweepInterval},
		{"POLL_SWEEP", c.Sweep},
	} {
		if setting.value <= 0 {
			faults = append(faults, errors.New(setting.name+": want a duration above zero, such as 30s"))
		}
	}
	if c.Sweep < c.Overlap {
		faults = append(faults, errors.New("POLL_SWEEP: is shorter than POLL_OVERLAP, so sweeps would find nothing that rounds do not"))
	}
	if c.SweepInterval < c.Interval {
		faults = append(faults, errors.New("POLL_SWEEP_INTERVAL: is shorter than POLL_INTERVAL"))
	}
	return errors.Join(faults...)
}
