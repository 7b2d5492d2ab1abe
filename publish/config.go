package publish

import (
	"errors"
	"time"
)

// Config holds the stage's settings.
type Config struct {
	EnrichTimeout time.Duration `env:"ENRICH_TIMEOUT,default=2s"` // how long an event waits for its author and completion; 0 = not at all
}

// maxEnrichTimeout keeps a slow API from holding up a conversation for longer
// than anyone would call live.
const maxEnrichTimeout = time.Minute

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	if c.EnrichTimeout < 0 || c.EnrichTimeout > maxEnrichTimeout {
		return errors.New("ENRICH_TIMEOUT: must be 0s to 1m; with 0s events wait for nothing, and what they lack follows")
	}
	return nil
}
