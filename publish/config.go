package publish

import (
	"errors"
	"time"
)

// Config holds the stage's settings.
type Config struct {
	EnrichTimeout time.Duration `env:"ENRICH_TIMEOUT,default=2s"` // how long a batch of events waits for authors and attachments
}

// maxEnrichTimeout keeps a slow API from holding up the topics for longer than
// anyone would call live.
const maxEnrichTimeout = time.Minute

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	if c.EnrichTimeout <= 0 || c.EnrichTimeout > maxEnrichTimeout {
		return errors.New("ENRICH_TIMEOUT: want more than 0s and at most 1m; to switch enrichment off, leave ENGAGE_BASE_URL empty")
	}
	return nil
}
