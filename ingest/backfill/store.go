package backfill

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// The windows of the message store. A window should fit on one page: pages go by
// number, and a message that is deleted meanwhile would pull another one past us.
const (
	firstWindow = 24 * time.Hour
	minWindow   = time.Minute
	maxWindow   = 30 * 24 * time.Hour
	// storePage is how many messages a page is asked for.
	storePage = 1000
	// fewMessages in a window make the next one twice as wide.
	fewMessages = storePage / 4
)

// storeHistory reads the text messages, one window of time after the other.
type storeHistory struct {
	platform patientPlatform
	span     Span
	width    time.Duration
	from     time.Time // where the next window begins
}

func (h *storeHistory) seek(_ context.Context, span Span) (int, error) {
	h.span = span
	// Times of creation are told in whole seconds, so windows are, too.
	h.from = span.From.Truncate(time.Second)
	return 0, nil
}

func (h *storeHistory) next(ctx context.Context) (step, error) {
	for {
		window := Span{h.from, h.from.Add(h.width)}
		if window.Until.After(h.span.Until) {
			window.Until = h.span.Until
		}
		q := ringcentral.MessagesQuery{Types: []string{"SMS"}, From: window.From, To: window.Until, PerPage: storePage}
		page, err := h.platform.messages(ctx, q)
		if err != nil {
			return step{}, err
		}
		if page.Next != "" && h.width > minWindow {
			h.width = max(h.width/2, minWindow).Truncate(time.Second)
			continue
		}
		records := page.Records
		for page.Next != "" {
			q.Next = page.Next
			if page, err = h.platform.messages(ctx, q); err != nil {
				return step{}, err
			}
			records = append(records, page.Records...)
		}
		if len(records) < fewMessages {
			h.width = min(2*h.width, maxWindow)
		}
		h.from = window.Until
		s := step{reached: window.Until, end: !window.Until.Before(h.span.Until)}
		s.ofSpan(poll.PlatformHistory(poll.MessagesStream, records), Span{laterOf(window.From, h.span.From), window.Until}, nil)
		return s, nil
	}
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
