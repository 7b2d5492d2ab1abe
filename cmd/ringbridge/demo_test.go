package main_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The whole, end to end: both directions, webhooks and polling, retries, a lost
// answer, a dead letter, with the wiring that `run` has.
func TestDemoOnceLosesAndDoublesNothing(t *testing.T) {
	w := &world{env: map[string]string{"LOG_LEVEL": "warn"}}
	got := w.run(t, "demo", "--once")
	require.Zero(t, got.code, "%s\n%s", got.out, got.err)
	require.Contains(t, got.out, "Nothing was lost, nothing was doubled.")
	for _, line := range []string{`KAFKA_BROKERS=127\.0\.0\.1:\d+`, `SCHEMA_REGISTRY_URL=http://127\.0\.0\.1:\d+`, `console: http://127\.0\.0\.1:\d+/`} {
		require.Regexp(t, "(?m)^"+line+"$", got.out)
	}
	for _, fact := range []string{
		"found by polling", "by webhook", "answers 503", "answers 429", "after 3 attempts",
		"cuts the connection", "found, and not sent again", "forbidden (403)", "content.updated: I ordered a lamp",
	} {
		require.Contains(t, got.out, fact)
	}
	require.NotContains(t, got.out+got.err, "demo-secret")
}

func TestDemoRunsUntilItIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	p := start(t, map[string]string{"DATA_DIR": dir}, "demo")
	shown := func(text string) func() bool {
		return func() bool { return strings.Contains(p.out.String(), text) }
	}
	require.Eventually(t, shown("content.replied: On its way"), 30*time.Second, 50*time.Millisecond, "%s", &p.err)

	second := &world{env: map[string]string{"DATA_DIR": dir}}
	got := second.run(t, "tail", "contents", "--from", "beginning", "--max", "1")
	require.Zero(t, got.code, got.err)
	require.Equal(t, "content.imported", lines(t, got.out)[0]["value"].(map[string]any)["event_type"])

	console := regexp.MustCompile(`console: (http://\S+)`).FindStringSubmatch(p.out.String())[1]
	status, _, _ := call(t, http.MethodGet, console+"readyz", "")
	require.Equal(t, http.StatusOK, status)

	begun := time.Now()
	require.Zero(t, p.end(), fmt.Sprint(&p.err))
	require.Less(t, time.Since(begun), 10*time.Second)
}
