package console

import (
	"context"
	"html/template"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/internal/timeline"
)

const (
	// keptMoments is what who looks in sees of the time before.
	keptMoments = 300
	// feedIdle is how long the topics are followed though nobody asks: longer than
	// the time between two requests of a page.
	feedIdle = 20 * time.Second
)

// feedTopics are those that the feed follows.
func feedTopics() []string {
	return []string{"contents", "messages", "identities", "activity", "replies", "replies.results", "replies.dlq"}
}

// feed is what flows, read once for all who look, and only while somebody does. It
// is safe for concurrent use.
type feed struct {
	asked chan struct{} // somebody looks

	mu      sync.Mutex
	moments []*numbered // the newest last
	last    int         // number of the newest
	dropped int         // since the start
	fault   error
}

// numbered is a moment with its place in the feed, and what pages show of it, which
// is made once for all of them.
type numbered struct {
	timeline.Moment
	n    int
	once sync.Once
	row  template.HTML
}

func newFeed() *feed { return &feed{asked: make(chan struct{}, 1)} }

// look returns what came after a number, and has the topics followed for a while.
func (f *feed) look(after int) (news []*numbered, last, dropped int, fault error) {
	select {
	case f.asked <- struct{}{}:
	default:
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.moments {
		if m.n > after {
			news = append(news, m)
		}
	}
	return news, f.last, f.dropped, f.fault
}

// run follows the topics whenever somebody looks, until ctx ends.
func (f *feed) run(ctx context.Context, t func() Timeline) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.asked:
			f.follow(ctx, t())
		}
	}
}

// follow fills the feed until nobody has looked for feedIdle.
func (f *feed) follow(ctx context.Context, t Timeline) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.asked:
			case <-time.After(feedIdle):
				return
			}
		}
	}()
	err := t.Follow(ctx, feedTopics(), f.add)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = err
}

func (f *feed) add(m timeline.Moment, dropped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.dropped += dropped
	f.fault = nil
	f.moments = append(f.moments, &numbered{Moment: m, n: f.last})
	f.moments = f.moments[max(0, len(f.moments)-keptMoments):]
}
