package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
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
	// defaultPage is how many messages a page has where nothing is asked for.
	defaultPage = 100
)

// storeHistory reads the text messages, one window of time after the other. A window that cannot be
// read as a whole is made narrower, and at last left out: a minute, or a day where the API refuses
// to list it.
type storeHistory struct {
	platform patientPlatform
	span     Span
	width    time.Duration
	size     int       // messages that a page is asked for; 0 = as many as the API likes
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
		records, fault, err := h.read(ctx, window)
		if err != nil {
			return step{}, err
		}
		least := minWindow
		if poll.RefusesRequest(fault) {
			least = firstWindow // it is not one message that is at fault
		}
		if fault != nil && h.width > least {
			h.width = max(h.width/2, least).Truncate(time.Second)
			continue
		}
		if len(records) < fewMessages && fault == nil {
			h.width = min(2*h.width, maxWindow)
		}
		h.from = window.Until
		s := step{reached: window.Until, end: !window.Until.Before(h.span.Until)}
		s.ofSpan(poll.PlatformHistory(poll.MessagesStream, records), Span{laterOf(window.From, h.span.From), window.Until}, nil)
		if fault != nil {
			s.missing, s.cause = 1, fault
		}
		return s, nil
	}
}

// The faults of a window.
var (
	errManyPages   = errors.New("the window has more than one page")
	errPageRepeats = errors.New("a page has only messages of the pages before")
)

// read returns the messages of a window as far as they can be read. A fault is why they are not all
// on one page, or why not all of them are there.
func (h *storeHistory) read(ctx context.Context, window Span) (records []json.RawMessage, fault, err error) {
	q := ringcentral.MessagesQuery{Types: []string{"SMS"}, From: window.From, To: window.Until}
	met, looped := map[string]bool{}, false
	for number := 1; ; number++ {
		page, err := h.page(ctx, q)
		switch {
		case errors.Is(err, ringcentral.ErrSamePage):
			page.Next = strconv.Itoa(number + 1) // it may be there all the same
		case looped && poll.RefusesRequest(err):
			return records, nil, nil // there is no page behind the last
		case errors.Is(err, poll.ErrPageAlone), poll.RefusesRequest(err):
			return records, err, nil
		case err != nil:
			return nil, nil, err
		}
		looped = err != nil
		fresh := len(page.Records) == 0
		for _, row := range poll.PlatformHistory(poll.MessagesStream, page.Records) {
			fresh = fresh || !met[row.Ident]
			met[row.Ident] = true
		}
		records = append(records, page.Records...)
		many := number > 1 && len(page.Records) > 0 // a page that is only said to be there is none
		switch {
		case !fresh:
			return records, errPageRepeats, nil
		case many && h.width > minWindow: // before more of its pages are read
			return records, errManyPages, nil
		case page.Next == "" || len(page.Records) == 0:
			return records, nil, nil
		}
		q.Next = page.Next
	}
}

// page asks for a page, with fewer rows where the API refuses so many, and at last without a
// number: the numbers of pages hold for one size, so only the first page changes it.
func (h *storeHistory) page(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error) {
	for size := h.size; ; size = smaller(size) {
		q.PerPage = size
		page, err := h.platform.messages(ctx, q)
		if err == nil || errors.Is(err, ringcentral.ErrSamePage) {
			h.size = size
			return page, err
		}
		if size == 0 || q.Next != "" || !poll.RefusesRequest(err) {
			return page, err
		}
	}
}

// smaller returns what to ask for where a page size is refused; 0 = nothing.
func smaller(size int) int {
	if size > defaultPage {
		return defaultPage
	}
	return 0
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
