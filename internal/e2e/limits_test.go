//go:build real

package e2e_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// limits is short here, to see that all is as it should be; `make limits` takes
// minutes, in which every budget is spent to its end.
var limits = flag.Duration("limits", 5*time.Second, "how long each part of TestLimitsAreKeptByThreeReplicasAndABackfill takes")

const (
	perMinute = 240 // calls of Engage, and of each group of the platform

	// penalty is how long a 429 closes a group here.
	penalty = 2 * time.Second

	// onItsWay is how long after a 429 a call of another process may still arrive: it
	// has left already, or leaves before the news has come through Kafka. On a machine
	// that has other work, as that of the short form may, the news takes longer.
	onItsWay, onItsWayShort = 250 * time.Millisecond, 1500 * time.Millisecond
)

// grace is the one that holds.
func grace() time.Duration {
	if *limits < time.Minute {
		return onItsWayShort
	}
	return onItsWay
}

// TestLimitsAreKeptByThreeReplicasAndABackfill spends what both APIs allow: three
// replicas poll, take in and answer, and a backfill reads history beside them. As
// they are nobody is refused. When others have used the account up, which only one of
// the processes is told, no call of any comes inside the penalty window, but for what
// is on its way; and the backfill takes nothing from the replies.
func TestLimitsAreKeptByThreeReplicasAndABackfill(t *testing.T) {
	w := newLimitedWorld(t)
	l := &limited{world: w}
	defer func() { t.Logf("\n%s", l) }()
	bridges := []*bridge{w.launch(w.public, freePort(t)), w.launch(freePort(t), freePort(t)), w.launch(freePort(t), freePort(t))}
	for _, b := range bridges {
		b.ready()
	}
	w.eventually(perMinute*9/10, waitLong, func() int { return allowed(bridges) }, "calls a minute that the replicas allow themselves")
	traffic := newTraffic(w)
	w.eventually(askers, waitLong, func() int { return len(w.results()) }, "results of the first replies")

	l.part("alone", *limits, nil)
	backfill := w.backfill()
	l.part("alone, windows", *limits, w.exhaust)
	require.Eventually(t, func() bool { return strings.Contains(backfill.log.String(), "%") }, time.Minute, 50*time.Millisecond, "%s", backfill.log)
	l.part("backfill", *limits, nil)
	l.part("backfill, windows", *limits, w.exhaust)
	require.Equal(t, 130, backfill.interrupt(), "it should have lasted: %s", backfill.log)
	l.sent = traffic.stop()
	require.Eventually(t, func() bool { l.count(); return l.ended == len(l.sent) }, 30*time.Second, 500*time.Millisecond, "commands without a result")
	for _, b := range bridges {
		require.Equal(t, 0, b.stop())
	}

	require.Empty(t, l.unasked(), "429s that nobody had brought about")
	for _, i := range l.intruders {
		require.Less(t, i.after, grace(), "a call inside a penalty window: %s", i)
	}
	require.Zero(t, w.box.Platform().Offenders())
	require.Positive(t, l.windows)
	alone, beside := l.of("alone"), l.of("backfill")
	require.GreaterOrEqual(t, float64(beside.replies), 0.8*float64(alone.replies), "replies with and without a backfill")
	require.LessOrEqual(t, beside.latency(0.5), 3*max(alone.latency(0.5), 500*time.Millisecond), "median of the replies' latency")
	require.Zero(t, l.failed, "commands")
}

// limitedWorld is a world whose APIs have limits, and a history.
type limitedWorld struct {
	*world
	public string // where the platform's notifications go
}

func newLimitedWorld(t *testing.T) limitedWorld {
	t.Helper()
	public := freePort(t)
	w := newWorld(t, sandbox.Config{
		Seed: 11, RatePerMinute: perMinute, RetryAfter: sandbox.RetryAfterSeconds,
		Platform: sandbox.PlatformConfig{
			Limits:  map[sandbox.RateGroup]int{sandbox.GroupLight: perMinute, sandbox.GroupMedium: perMinute},
			Penalty: penalty, PenaltyGrace: grace(), SMSPerMinute: -1,
		},
	}, map[string]string{"ENGAGE_RATE": fmt.Sprint(perMinute)})
	maps.Copy(w.env, map[string]string{
		"RINGCENTRAL_SERVER_URL": w.api.URL, "RINGCENTRAL_CLIENT_ID": sandbox.DefaultClientID, "RINGCENTRAL_CLIENT_SECRET": sandbox.DefaultClientSecret,
		"RINGCENTRAL_JWT": sandbox.DefaultJWT, "RINGCENTRAL_WEBHOOK_TOKEN": platformToken, "SMS_RATE": "0",
		"RINGCENTRAL_WEBHOOK_URL": "http://" + public + "/webhooks/ringcentral",
		// More than the budgets allow: what is left of them goes to polling.
		"POLL_INTERVAL": "300ms",
	})
	old, quiet := time.Now().Add(-48*time.Hour), false
	_, err := w.box.Import(sandbox.Import{Count: 20_000, CreatedAt: old, Author: "Ann", Webhook: &quiet})
	require.NoError(t, err)
	_, err = w.box.Platform().ImportContents(sandbox.SocialImport{Count: 20_000, CreatedAt: old, Author: "Ann", Notify: &quiet})
	require.NoError(t, err)
	return limitedWorld{w, public}
}

// allowed returns how many calls of Engage a minute some bridges allow themselves.
func allowed(bridges []*bridge) (sum int) {
	for _, b := range bridges {
		_, text, _ := get(b.admin + "/metrics")
		sum += int(metric(text, `ringbridge_api_budget_calls_per_minute{api="engage",group="all"}`))
	}
	return sum
}

// exhaust makes the next call of one budget after another one too many, as another
// program with the same credentials does, until stop is closed.
func (w limitedWorld) exhaust(stop <-chan struct{}) {
	windows := func(group sandbox.RateGroup) int { return w.box.Platform().Rates()[group].Windows }
	for n := 0; ; n++ {
		var begun func() bool
		switch n % 3 {
		case 0, 1:
			group := []sandbox.RateGroup{sandbox.GroupLight, sandbox.GroupMedium}[n%3]
			before := windows(group)
			w.box.Platform().Exhaust(group)
			begun = func() bool { return windows(group) > before }
		default:
			w.box.ClearFaults()
			_, err := w.box.AddFault(sandbox.Fault{
				Route: "GET /1.0/contents", Status: http.StatusTooManyRequests, RetryAfter: fmt.Sprint(int(penalty.Seconds())), Times: 1,
			})
			require.NoError(w.t, err)
			begun = func() bool { return w.box.Faults()[0].Hits > 0 }
		}
		// Not while the last one lasts, whose margin others keep.
		require.Eventually(w.t, begun, time.Minute, 10*time.Millisecond, "the budget is not used")
		select {
		case <-stop:
			return
		case <-time.After(penalty):
		}
	}
}

// backfill starts one of Social Messaging.
func (w limitedWorld) backfill() *bridge {
	w.t.Helper()
	log, err := os.Create(fmt.Sprintf("%s/backfill.log", w.t.TempDir()))
	require.NoError(w.t, err)
	b := &bridge{t: w.t, log: logFile(log.Name()), ended: make(chan struct{})}
	b.cmd = exec.Command(binary, "backfill", "--since", "90h", "--only", "social/contents")
	b.cmd.Env = w.environ()
	b.cmd.Stdout, b.cmd.Stderr = log, log
	require.NoError(w.t, b.cmd.Start())
	go func() {
		_ = b.cmd.Wait()
		_ = log.Close()
		close(b.ended)
	}()
	w.t.Cleanup(b.kill)
	return b
}

// interrupt ends the process as Ctrl-C does, and returns its exit status.
func (b *bridge) interrupt() int {
	_ = b.cmd.Process.Signal(syscall.SIGINT)
	<-b.ended
	return b.cmd.ProcessState.ExitCode()
}
