package ringcentral_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheAPIsOwnClockIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const behind = 10 * time.Minute
		date := ""
		p := platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
			w.Header().Set("Date", date)
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		require.Equal(t, time.Now(), c.Now(), "no answer has told it yet")
		ask := func() {
			_, err := c.Message(t.Context(), "1")
			require.NoError(t, err)
		}
		date = time.Now().Add(-behind).UTC().Format(http.TimeFormat)
		ask()
		require.WithinDuration(t, time.Now().Add(-behind), c.Now(), time.Second)
		time.Sleep(time.Hour)
		require.WithinDuration(t, time.Now().Add(-behind), c.Now(), time.Second)
		date = "today"
		ask()
		require.WithinDuration(t, time.Now().Add(-behind), c.Now(), time.Second, "an answer without a date teaches nothing")
	})
}
