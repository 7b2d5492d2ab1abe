package ringcentral

import (
	"context"
	"slices"
	"time"
)

// passage is a call's way through its budgets: those it has passed, to be left when it is over.
type passage struct {
	limits limits
	route  string
	passed []*limiter
	group  string // label of the last one it waited for
}

// enter takes the call through its budgets. What an answer tells about them meanwhile holds for it too. The error says why it may
// not go, and the duration when it may, if that is known; the passage must be left in any case.
func (c *client) enter(ctx context.Context, k call) (*passage, time.Duration, error) {
	p := &passage{limits: k.limits, route: k.route}
	for {
		budgets := k.limits.of(k.route)
		next := slices.IndexFunc(budgets, func(l *limiter) bool { return !slices.Contains(p.passed, l) })
		if next < 0 {
			return p, 0, tooLate(ctx, c.now())
		}
		if after, err := p.pass(ctx, c, budgets[next], k.priority); err != nil {
			return p, after, err
		}
	}
}

func (p *passage) pass(ctx context.Context, c *client, l *limiter, priority Priority) (time.Duration, error) {
	p.group = l.label
	waiting := c.m.waiting.WithLabelValues(c.api, l.label, priority.String())
	waiting.Inc()
	defer waiting.Dec()
	after, err := l.wait(ctx, priority)
	if err != nil {
		return after, err
	}
	c.m.used.WithLabelValues(c.api, l.label).Inc()
	p.passed = append(p.passed, l)
	return 0, nil
}

// held reports whether a penalty window is open in a budget of the route, as they are known now.
func (p *passage) held() bool { return slices.ContainsFunc(p.limits.of(p.route), (*limiter).held) }

// leave tells the budgets that the call is over.
func (p *passage) leave() {
	for _, l := range p.passed {
		l.release()
	}
}
