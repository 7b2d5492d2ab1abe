package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/secret"
)

func TestShowsNothing(t *testing.T) {
	s := secret.String("hunter2")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "token", s, "struct", struct{ S secret.String }{s})
	encoded, err := json.Marshal(map[string]any{"s": s})
	require.NoError(t, err)
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%s %q %v %+v %#v %x %d", s, s, s, s, s, s, s), s.String(), string(encoded), log.String()} {
		require.NotContains(t, shown, "hunter2")
		require.NotContains(t, shown, "68756e74657232")
		require.Contains(t, shown, "redacted")
	}
	require.Equal(t, "hunter2", s.Reveal())
}
