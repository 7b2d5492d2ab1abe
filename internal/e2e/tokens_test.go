//go:build real

package e2e_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// tokens is short here; `make tokens` takes minutes.
var tokens = flag.Duration("tokens", 20*time.Second, "how long the traffic of TestShortTokensFailNoCall lasts")

const (
	shortLife  = 16 * time.Second // the shortest that five authentications a minute can keep up with
	tokenPath  = "/restapi/oauth/token"
	authsLimit = 5 // a minute
)

// TestShortTokensFailNoCall lets tokens live for a minute, or less in a short run,
// while texts and contents go both ways. No call is refused for its token, nor for
// another reason, and authentications keep within what the platform allows.
func TestShortTokensFailNoCall(t *testing.T) {
	life := shortLife
	if *tokens > time.Minute {
		life = time.Minute
	}
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{TokenLife: life})
	b := w.start(public, freePort(t))
	p := w.box.Platform()
	began, sent := time.Now(), 0
	for ; time.Since(began) < *tokens; sent++ {
		_, err := p.ImportMessages(sandbox.MessageImport{})
		require.NoError(t, err)
		_, err = p.ImportContents(sandbox.SocialImport{Author: "Ann"})
		require.NoError(t, err)
		w.send(textTo(fmt.Sprintf("+1415555%04d", sent%5), fmt.Sprint("sms-", sent), fmt.Sprint("text ", sent)))
		time.Sleep(500 * time.Millisecond)
	}
	w.eventually(sent, time.Minute, func() int { return len(w.results()) }, "final results")
	require.Equal(t, 0, b.stop())

	var at []time.Time
	calls := w.box.Calls()
	failed := map[string]int{}
	for _, c := range calls {
		if c.Path == tokenPath {
			at = append(at, c.At)
		}
		// A call that was under way when the bridge was stopped has no answer.
		if c.Status/100 != 2 && c.Status != 0 {
			failed[fmt.Sprint(c.Route, " ", c.Status)]++
		}
	}
	auth := p.Auth()
	t.Logf("%s of tokens that live %s: %d calls, %d failed, %d authentications, %d at a time at most, %d in a minute at most, %d tokens refused",
		time.Since(began).Round(time.Second), life, len(calls), len(failed), len(at), auth.MaxConcurrent, busiest(at), auth.Unauthorized)
	require.Empty(t, failed)
	require.Zero(t, auth.Unauthorized)
	require.Equal(t, 1, auth.MaxConcurrent)
	require.Greater(t, len(at), 1)
	require.LessOrEqual(t, busiest(at), authsLimit)
	require.NotContains(t, b.log.String(), "authentication failed")
}

// busiest returns the most times within a minute.
func busiest(at []time.Time) (most int) {
	first := 0
	for i := range at {
		for at[i].Sub(at[first]) >= time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
