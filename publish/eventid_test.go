package publish_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestAnEventIDNeverChanges(t *testing.T) {
	// Consumers have stored these: the ids of a release must be those of the one before.
	for id, parts := range map[string][4]string{
		"48f1e1cf-3504-5eb7-b00d-e2097e9adec2": {"acme", "5fbeb319535778000776a8da", "content.imported", ""},
		"bbeaabd4-9bd9-51e9-810a-f4a66deab770": {"acme", "5464b5c04d61639684110000", "intervention.assigned", "70d340997b8cd2c6f4dfee22"},
	} {
		got := publish.EventID(parts[0], schemas.ApiEngage, parts[1], parts[2], parts[3])
		require.Equal(t, id, got)
		require.Equal(t, uuid.Version(5), uuid.MustParse(got).Version())
	}
}

func TestEveryPartTellsEventsApart(t *testing.T) {
	ids := map[string]bool{}
	for _, id := range []string{
		publish.EventID("a", "ENGAGE", "r", "t", ""),
		publish.EventID("b", "ENGAGE", "r", "t", ""),
		publish.EventID("a", "SOCIAL", "r", "t", ""),
		publish.EventID("a", "ENGAGE", "s", "t", ""),
		publish.EventID("a", "ENGAGE", "r", "u", ""),
		publish.EventID("a", "ENGAGE", "r", "t", "1"),
		publish.EventID("a", "ENGAGE", "rt", "", ""), // the parts do not run together
	} {
		require.False(t, ids[id])
		ids[id] = true
	}
}
