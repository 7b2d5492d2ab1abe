//go:build real

package e2e_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

var consoleLoad = flag.Bool("console", false, "TestTheConsoleUnderLoad with 100,000 letters, long windows and the bounds that they allow to hold to")

// loadOf is what the console has to bear: little in the short form, where nothing but
// that it works is asked for, as machines are busy and windows short.
func loadOf() (letters, pairs int, window time.Duration, least float64) {
	if *consoleLoad {
		return 100_000, 6, 10 * time.Second, 0.95
	}
	return 3000, 2, 2 * time.Second, 0.5
}

const (
	consoles      = 10
	eventSenders  = 16
	eventsPerSec  = 50
	letterPayload = 500 // bytes
)

// TestTheConsoleUnderLoad opens the letters while fifty events a second come in, and
// measures, in windows in turn, what ten open consoles cost the bridge.
func TestTheConsoleUnderLoad(t *testing.T) {
	count, pairs, window, least := loadOf()
	w := newWorld(t, sandbox.Config{}, map[string]string{"ENRICH_TIMEOUT": "100ms"})
	w.letters(count)
	bridge := w.start(freePort(t), freePort(t))
	b := newBrowser(t, bridge.admin)
	b.open("/letters")
	b.shows("#count", grouped(count)+" letters")

	stop := w.paced(bridge, eventsPerSec)
	var took []time.Duration
	for range 5 {
		b.open("/letters")
		took = append(took, time.Duration(ask(b, chromedp.Evaluate[float64](
			`(e => e.loadEventEnd - e.startTime)(performance.getEntriesByType("navigation")[0])`))*float64(time.Millisecond)))
	}
	b.open("/flow")
	ask(b, chromedp.Evaluate[bool](`window.long = 0, new PerformanceObserver(l => l.getEntries().forEach(e => window.long = Math.max(window.long, e.duration)))
		.observe({entryTypes: ["longtask"]}), true`))
	b.shows("#moments", "content.imported")
	time.Sleep(window)
	longest := ask(b, chromedp.Evaluate[float64]("window.long"))
	stop()
	slices.Sort(took)
	t.Logf("%d letters, %d events a second: /letters opens in %s (median of %d, worst %s); the longest that /flow kept its page busy: %.0f ms",
		count, eventsPerSec, took[len(took)/2], len(took), took[len(took)-1], longest)
	b.open("/") // the browser rests

	ratios := make([]float64, 0, pairs)
	for n := range pairs {
		// The order changes, so that what grows with time is on neither side.
		with, without := 0.0, 0.0
		for _, open := range []bool{n%2 == 0, n%2 != 0} {
			if rate := w.throughput(bridge, window, open); open {
				with = rate
			} else {
				without = rate
			}
		}
		ratios = append(ratios, with/without)
		t.Logf("events a second with ten consoles %.0f, without %.0f: %.3f", with, without, with/without)
	}
	slices.Sort(ratios)
	require.GreaterOrEqual(t, ratios[len(ratios)/2], least, "%v", ratios)
	if *consoleLoad {
		require.Less(t, took[len(took)/2], time.Second)
		require.Less(t, longest, 200.0)
	}
	b.quiet()
}

// grouped writes a number as the pages do.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// letters puts that many on the topic, as consume does.
func (w *world) letters(count int) {
	w.t.Helper()
	reasons := []deadletter.Reason{deadletter.Rejected, deadletter.Expired, deadletter.NotFound, deadletter.RetriesExhausted}
	var failed atomic.Pointer[error]
	for n := range count {
		r := w.record(reply(fmt.Sprint("letter-", n), fmt.Sprint("thread-", n%5000), "parent", text()[:letterPayload]))
		r.Topic = w.names.RepliesDLQ
		r.Headers = deadletter.Letter{
			Topic: w.names.Replies, Partition: int32(n % 4), Offset: int64(n), Group: "replies", Attempts: 3, Message: "status 422: Unprocessable Entity",
			Reason: reasons[n%len(reasons)], HTTPStatus: 422, FailedAt: time.Now(),
		}.Headers(nil)
		w.client.Produce(w.t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	require.NoError(w.t, w.client.Flush(w.t.Context()))
	require.Nil(w.t, failed.Load())
}

// paced sends webhooks at a rate until it is stopped.
func (w *world) paced(bridge *bridge, perSecond int) (stop func()) {
	stopping := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-stopping:
				return
			case <-tick.C:
				_, _ = bridge.post(imported(fmt.Sprint("paced-", n)))
			}
		}
	})
	return func() {
		close(stopping)
		running.Wait()
	}
}

// imported is a webhook with one content.
func imported(id string) []byte {
	return fmt.Appendf(nil, `{"id":"r%[1]s","events":[{"type":"content.imported","id":"e%[1]s","issued_at":"%[2]s","resource":`+
		`{"type":"a/b","id":"%[1]s","metadata":{"thread_id":"t-%[1]s","status":"new","body":"hello"}}}]}`, id, time.Now().UTC().Format(time.RFC3339))
}

// throughput sends as many webhooks as are taken, and returns the events a second that
// were published, with the consoles open or closed.
func (w *world) throughput(bridge *bridge, window time.Duration, open bool) float64 {
	w.t.Helper()
	stopping := make(chan struct{})
	var running sync.WaitGroup
	if open {
		for n := range consoles {
			running.Go(func() { watch(bridge.admin, n, stopping) })
		}
	}
	run := time.Now().UnixNano()
	for sender := range eventSenders {
		running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stopping:
					return
				default:
					_, _ = bridge.post(imported(fmt.Sprint(run, "-", sender, "-", n)))
				}
			}
		})
	}
	published := func() float64 {
		_, text, err := get(bridge.admin + "/metrics")
		require.NoError(w.t, err)
		return metric(text, "ringbridge_publish_lag_seconds_count")
	}
	time.Sleep(window / 5) // the beginning is not measured
	began, before := time.Now(), published()
	time.Sleep(window)
	rate := (published() - before) / time.Since(began).Seconds()
	close(stopping)
	running.Wait()
	w.published()
	return rate
}

// place is where a feed goes on.
var place = regexp.MustCompile(`name="after" value="([0-9]*)"`)

// watch does what a browser does that has a page of the console open: the nth has one
// of the five.
func watch(admin string, n int, stopping <-chan struct{}) {
	page := []struct {
		path  string
		every time.Duration
	}{{"/", 3 * time.Second}, {"/stuck", 2 * time.Second}, {"/letters", 5 * time.Second}, {"/flow", 2 * time.Second}, {"/", 3 * time.Second}}[n%5]
	client := http.Client{Timeout: time.Minute}
	after := ""
	ask := func(part bool) {
		path := page.path
		if page.path == "/flow" {
			path += "?topic=&after=" + after
		}
		req, err := http.NewRequest(http.MethodGet, admin+path, nil)
		if err != nil {
			return
		}
		if part {
			req.Header.Set("HX-Request", "true")
		}
		resp, err := client.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if m := place.FindSubmatch(text); m != nil {
			after = string(m[1])
		}
	}
	ask(false)
	tick := time.NewTicker(page.every)
	defer tick.Stop()
	for {
		select {
		case <-stopping:
			return
		case <-tick.C:
			ask(true)
		}
	}
}
