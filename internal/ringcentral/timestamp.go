package ringcentral

import (
	"encoding/json"
	"time"
)

// Timestamp is a time as the platform writes it: RFC 3339, and in old notifications with an offset that has no colon. What can't be read
// is the zero time, and spoils nothing around it.
type Timestamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	t.Time = time.Time{}
	var value string
	if json.Unmarshal(data, &value) != nil {
		return nil //nolint:nilerr // see above
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999-0700"} {
		if at, err := time.Parse(layout, value); err == nil {
			t.Time = at
			return nil
		}
	}
	return nil
}
