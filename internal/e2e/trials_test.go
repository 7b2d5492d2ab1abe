//go:build real

package e2e_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

var record = flag.Bool("record", false, "TestAlertsAreTriedOnWhatTheProgramTells records all nights, into deploy/nights")

// recorded is where recordings are kept, a file each.
const recorded = "../../deploy/nights"

// lead is how many scrapes of health come before a failure.
const lead = 10

const preface = `# Tries alerts.yml on what the program itself told, in failure: make alerts-record writes this, make alerts tries it; do not edit.
# A sample a minute, though the program was asked more often: its time is stretched, and all that is a time with it. Before the
# failure all is quiet; at the end these alerts fire, and no others.
rule_files: [../alerts.yml]
evaluation_interval: 1m

tests:
`

// A trial is a running bridge, with traffic both ways, and the recording of it.
type trial struct {
	*world
	*recording

	public  string
	bridge  *bridge
	parents []sandbox.Content
}

// TestAlertsAreTriedOnWhatTheProgramTells records a night without a failure, and sees that a process of today tells the
// series on which promtool has tried the rules. With -record it brings about every failure, and keeps what the process told
// meanwhile: see make alerts-record.
func TestAlertsAreTriedOnWhatTheProgramTells(t *testing.T) {
	all := slices.DeleteFunc(nights(), func(n night) bool { return !n.brief && !*record })
	for _, group := range []string{"together", "alone"} {
		t.Run(group, func(t *testing.T) {
			for _, n := range all {
				if n.alone != (group == "alone") {
					continue
				}
				t.Run(n.what, func(t *testing.T) {
					if !n.alone {
						t.Parallel()
					}
					n.keep(t, n.record(t))
				})
			}
		})
	}
}

// keep writes a recording, or compares its series with those that were kept.
func (n night) keep(t *testing.T, text string) {
	t.Helper()
	path := filepath.Join(recorded, strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(n.what))+".yml")
	if *record {
		require.NoError(t, os.WriteFile(path, []byte(preface+text), 0o644))
		return
	}
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	before, now := seriesIn(string(kept)), seriesIn(text)
	require.Empty(t, without(now, before), "the program tells series that the rules were not tried on: run make alerts-record alerts")
	require.Empty(t, without(before, now), "the program no longer tells series that the rules were tried on: run make alerts-record alerts")
}

// without returns those of all that are not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// seriesIn are the series of a trial, without their samples.
func seriesIn(text string) (names []string) {
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, "{series: '"); ok {
			name, _, _ := strings.Cut(rest, "', values:")
			names = append(names, name)
		}
	}
	return names
}

// record brings the failure about and returns the trial.
func (n night) record(t *testing.T) string {
	t.Helper()
	tr := newTrial(t, n)
	ticker := time.NewTicker(tr.every)
	defer ticker.Stop()
	failsAt := 0
	scrapes := lead + n.lasts
	if !*record {
		scrapes = 2 // for the names of the series
	}
	for at := range scrapes {
		<-ticker.C
		if at == lead {
			failsAt = tr.place()
		}
		tr.traffic(at)
		if at >= lead {
			n.fail(tr, at-lead)
		}
		tr.scrape(tr.bridge.admin)
	}
	return tr.write(n.what, failsAt, n.fires)
}

func newTrial(t *testing.T, n night) *trial {
	t.Helper()
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{})
	maps.Copy(w.env, map[string]string{
		"ENGAGE_WEBHOOK_SECRET": secret, "ENGAGE_WEBHOOK_VERIFY_TOKEN": verify, "ENGAGE_RATE": "6000", "SMS_RATE": "600", "POLL_OVERLAP": "30s", "POLL_INTERVAL": "1s",
		"REPLIES_BACKOFF_MAX": "500ms", "ENRICH_TIMEOUT": "2s",
	})
	maps.Copy(w.env, n.env)
	if w.env["SPOOL_DIR"] != "" {
		w.env["SPOOL_DIR"] = filepath.Join(t.TempDir(), w.env["SPOOL_DIR"])
	}
	off := false
	parents, err := w.box.Import(sandbox.Import{Count: 5, Webhook: &off})
	require.NoError(t, err)
	tr := &trial{world: w, recording: newRecording(t, cmp.Or(n.every, time.Second)), public: public, parents: parents}
	tr.bridge = w.start(public, freePort(t))
	require.NoError(t, w.box.Register(t.Context(), sandbox.Webhook{URL: tr.bridge.public + "/webhooks/engage", Secret: secret, VerifyToken: verify}))
	require.Eventually(t, func() bool {
		_, text, _ := get(tr.bridge.admin + "/metrics")
		return metric(text, "ringbridge_subscription_active") == 1 && strings.Contains(text, "ringbridge_kafka_hanging_transactions")
	}, time.Minute, 100*time.Millisecond, "%s", tr.bridge.log)
	return tr
}

// traffic is what customers write and teams answer in a moment. It waits for nobody: what cannot be sent is not what is
// tried.
func (tr *trial) traffic(n int) {
	tr.t.Helper()
	_, err := tr.box.Import(sandbox.Import{Count: 2})
	require.NoError(tr.t, err)
	_, err = tr.box.Platform().ImportMessages(sandbox.MessageImport{})
	require.NoError(tr.t, err)
	parent := tr.parents[n%len(tr.parents)]
	tr.client.Produce(tr.t.Context(), tr.record(reply(fmt.Sprint("answer-", n), parent.ThreadID, parent.ID, fmt.Sprint("answer ", n))), nil)
}
