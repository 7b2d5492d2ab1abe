package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// RateCounts say how a group's limit was kept.
type RateCounts struct {
	Limit    int `json:"limit"`    // 0 means none
	Allowed  int `json:"allowed"`  // calls within the limit
	Refused  int `json:"refused"`  // 429s of this limit, whatever the reason
	Windows  int `json:"windows"`  // penalty windows begun, without those begun anew
	Offender int `json:"offender"` // calls inside a penalty window
	Crossed  int `json:"crossed"`  // calls inside one, but within PlatformConfig.PenaltyGrace of the 429 before
}

// rateGroups are the limits of the user and application, a group each. Safe for concurrent use.
type rateGroups struct {
	now     func() time.Time
	penalty time.Duration
	grace   time.Duration
	limits  map[RateGroup]int

	mu     sync.Mutex
	groups map[RateGroup]*rateGroup
}

type rateGroup struct {
	window  *rateWindow
	counts  RateCounts
	closed  time.Time // until then it is shut
	refused time.Time // the last 429
	spent   bool      // by Exhaust: the next call is one too many
}

// verdict is what a group makes of a call.
type verdict struct {
	refused bool
	wait    time.Duration
}

func newRateGroups(cfg PlatformConfig, now func() time.Time) *rateGroups {
	g := &rateGroups{now: now, penalty: cfg.Penalty, grace: cfg.PenaltyGrace, limits: cfg.Limits}
	g.clear()
	return g
}

func (g *rateGroups) clear() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups = map[RateGroup]*rateGroup{}
}

// group finds or makes one. Called with the lock held.
func (g *rateGroups) group(name RateGroup) *rateGroup {
	found := g.groups[name]
	if found == nil {
		limit := max(0, g.limits[name])
		found = &rateGroup{window: newRateWindow(limit, g.now), counts: RateCounts{Limit: limit}}
		g.groups[name] = found
	}
	return found
}

// arrive tells whether a call comes inside a penalty window, which it begins anew. It is asked of every call, whatever becomes
// of it: a call that a fault spoils, or whose token is wrong, has reached the limiter all the same.
func (g *rateGroups) arrive(name RateGroup) (v verdict, offender bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group, now := g.group(name), g.now()
	if !now.Before(group.closed) {
		return verdict{}, false
	}
	if offender = now.Sub(group.refused) > g.grace || g.grace == 0; offender {
		group.counts.Offender++
	} else {
		group.counts.Crossed++
	}
	return g.shut(group, now), offender
}

// take counts a call against the limit.
func (g *rateGroups) take(name RateGroup) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	group, now := g.group(name), g.now()
	if now.Before(group.closed) { // shut since the call arrived
		group.counts.Crossed++
		return g.shut(group, now)
	}
	_, allowed := group.window.allow()
	if allowed && !group.spent {
		group.counts.Allowed++
		return verdict{}
	}
	group.spent = false
	group.counts.Windows++
	return g.shut(group, now)
}

// shut refuses a call and begins the penalty window.
func (g *rateGroups) shut(group *rateGroup, now time.Time) verdict {
	group.counts.Refused++
	group.closed, group.refused = now.Add(g.penalty), now
	return verdict{refused: true, wait: g.penalty}
}

// headers tells a group's state, in the spelling of the service. A group without limit tells nothing.
func (g *rateGroups) headers(h http.Header, name RateGroup, shown string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.group(name)
	if group.counts.Limit == 0 {
		return
	}
	remaining := group.window.remaining()
	if group.spent || g.now().Before(group.closed) {
		remaining = 0
	}
	h.Set("X-Rate-Limit-Group", shown)
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(group.counts.Limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(remaining))
	h.Set("X-Rate-Limit-Window", "60")
}

// Rates returns how each group's limit was kept, of the groups that were called.
func (p *Platform) Rates() map[RateGroup]RateCounts {
	p.rates.mu.Lock()
	defer p.rates.mu.Unlock()
	out := make(map[RateGroup]RateCounts, len(p.rates.groups))
	for name, group := range p.rates.groups {
		out[name] = group.counts
	}
	return out
}

// Offenders returns how many calls came inside a penalty window, over all groups.
func (p *Platform) Offenders() int {
	n := 0
	for counts := range maps.Values(p.Rates()) {
		n += counts.Offender
	}
	return n
}

// Exhaust makes the next call of each group named, or of every group there is, one too many: it is answered 429 and begins a
// penalty window.
func (p *Platform) Exhaust(groups ...RateGroup) {
	if len(groups) == 0 {
		groups = slices.Collect(maps.Keys(p.cfg.Limits))
	}
	p.rates.mu.Lock()
	defer p.rates.mu.Unlock()
	for _, name := range groups {
		p.rates.group(name).spent = true
	}
}
