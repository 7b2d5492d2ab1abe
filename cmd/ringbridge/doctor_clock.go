package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// maxSkew is how far clocks may be apart: what polls, deadlines of commands and the
// bounds of retention can bear, with room.
const maxSkew = 5 * time.Minute

// dates is a transport that takes down what the servers' clocks say. It is safe for
// concurrent use.
type dates struct {
	transport *http.Transport

	mu    sync.Mutex
	skews []skew
}

// A skew is how far a clock is ahead of this machine's.
type skew struct {
	of    string
	ahead time.Duration
}

// RoundTrip implements http.RoundTripper.
func (d *dates) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := time.Now()
	response, err := d.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if at, parseErr := http.ParseTime(response.Header.Get("Date")); parseErr == nil {
		// The header has whole seconds, and is of some moment of the exchange.
		between := sent.Add(time.Since(sent) / 2)
		d.add(r.URL.Host, at.Add(time.Second/2).Sub(between))
	}
	return response, nil
}

func (d *dates) add(of string, ahead time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.skews = append(d.skews, skew{of, ahead})
}

func (d *dates) all() []skew {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]skew(nil), d.skews...)
}

// clock judges what the checks before it have heard, and what Kafka tells.
func (d *doctor) clock(ctx context.Context) finding {
	heard := d.dates.all()
	newest, found := d.newestArrival(ctx)
	if found && time.Until(newest) > maxSkew {
		return failed(fmt.Sprintf("the inbox has a record that is %s ahead of this machine's clock", time.Until(newest).Round(time.Second)),
			"compare the clocks of this machine and of those where the bridge runs, and let NTP set them")
	}
	if len(heard) == 0 {
		if found {
			return ok("no record of the inbox is ahead of this machine's clock; no API has told its time")
		}
		return skipped("nobody has told the time: no API answered, and the inbox has no record")
	}
	hosts := map[string]bool{}
	worst := heard[0]
	for _, s := range heard {
		hosts[s.of] = true
		if s.ahead.Abs() > worst.ahead.Abs() {
			worst = s
		}
	}
	if worst.ahead.Abs() > maxSkew {
		return failed(fmt.Sprintf("this machine's clock is %s %s that of %s", worst.ahead.Abs().Round(time.Second), behindOrAhead(-worst.ahead), worst.of),
			"let NTP set this machine's clock")
	}
	var names []string
	for host := range hosts {
		names = append(names, host)
	}
	return ok("within %s of %s", max(worst.ahead.Abs().Round(time.Second), time.Second), strings.Join(names, " and "))
}

func behindOrAhead(d time.Duration) string {
	if d < 0 {
		return "behind"
	}
	return "ahead of"
}

// newestArrival returns the newest time of a record of the inbox, which the bridge's
// replicas write: Kafka itself tells no time.
func (d *doctor) newestArrival(ctx context.Context) (newest time.Time, found bool) {
	adm, cfg, err := d.dial(ctx)
	if err != nil {
		return newest, false
	}
	defer adm.Close()
	listed, err := adm.ListMaxTimestampOffsets(ctx, kafka.TopicNames(cfg.Topics.Prefix).Inbox)
	if err != nil {
		return newest, false
	}
	listed.Each(func(o kadm.ListedOffset) {
		if at := time.UnixMilli(o.Timestamp); o.Err == nil && o.Timestamp > 0 && at.After(newest) {
			newest, found = at, true
		}
	})
	return newest, found
}
