package ringcentral

import (
	"encoding/json"
	"time"

	"github.com/ringbridge/ringbridge/internal/instant"
)

// Timestamp is a time as the platform writes it, in any form that instant.ParseText reads. What can't be read is the zero time, and
// spoils nothing around it.
type Timestamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	t.Time, _ = instant.Parse(json.RawMessage(data))
	return nil
}
