package sandbox

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Webhook is where events go.
type Webhook struct {
	URL         string   `json:"url"`
	Secret      string   `json:"secret"`       // sent in clear as X-Dimelo-Secret; none when empty
	VerifyToken string   `json:"verify_token"` // sent in the handshake
	Events      []string `json:"registered_events"`
}

// Delivery is how webhooks travel. The zero value sends each event at once, loses none and keeps to the documented delays.
type Delivery struct {
	LossRate      float64  `json:"loss_rate"`      // share of events never sent, 0 to 1
	DuplicateRate float64  `json:"duplicate_rate"` // share of accepted requests sent once more, alike to the byte
	Reorder       bool     `json:"reorder"`        // send what waits in random order
	Buffer        Duration `json:"buffer"`         // gather events that long into one request
	MaxEvents     int      `json:"max_events"`     // in one request; 0 means 50
	Concurrency   int      `json:"concurrency"`    // requests at a time; 0 means 4
	RetryScale    float64  `json:"retry_scale"`    // factor on the delays; 0 means 1
	Timeout       Duration `json:"timeout"`        // of one request; 0 means 10 s, as the real one is not documented
	Payload
}

// DeliveryCounts say what became of the events, and how many requests it took.
type DeliveryCounts struct {
	Emitted   int `json:"emitted"`
	Delivered int `json:"delivered"` // answered 200
	Lost      int `json:"lost"`      // by LossRate
	Dropped   int `json:"dropped"`   // given up after the last try
	Skipped   int `json:"skipped"`   // webhook off, or not registered for the type
	Pending   int `json:"pending"`   // buffered, waiting or on their way
	Requests  int `json:"requests"`
	Failed    int `json:"failed"` // requests not answered 200
}

// retryDelays are the documented waits before each further try, about three hours in all; then an event is dropped.
func retryDelays() []time.Duration {
	return []time.Duration{32 * time.Second, 4 * time.Minute, 17 * time.Minute, 52 * time.Minute, 2 * time.Hour}
}

const (
	defaultMaxEvents   = 50
	defaultConcurrency = 4
	defaultTimeout     = 10 * time.Second
	idleConnections    = 16 // kept to the receiver: a new connection a request would measure our dialling, not its work
)

type hooksDeps struct {
	http   *http.Client
	logger *slog.Logger
	now    func() time.Time
	ids    *idSource
	chance *chance
}

// hooks sends events. Goroutines exist only while a request is on its way. Safe for concurrent use.
type hooks struct {
	hooksDeps
	domainID string
	ctx      context.Context //nolint:containedctx // the server's life
	wg       sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	era      int // raised by reset: what is on its way then is forgotten
	target   Webhook
	active   bool
	how      Delivery
	buffered []Event
	armed    bool // the buffer's timer runs
	queue    []batch
	workers  int
	counts   DeliveryCounts
	log      []DeliveryAttempt
}

// batch is the events of one request, through all its tries.
type batch struct {
	era    int
	events []Event
	tries  int
}

func newHooks(ctx context.Context, deps hooksDeps, cfg Config) *hooks {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: idleConnections}}
	if deps.http != nil {
		client = *deps.http
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	deps.http = &client
	return &hooks{
		hooksDeps: deps, ctx: ctx, domainID: deps.ids.next(),
		target: cfg.Webhook, active: cfg.Webhook.URL != "", how: cfg.Delivery,
	}
}

// emit takes an event to be sent.
func (h *hooks) emit(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.Emitted++
	switch {
	case h.closed || !h.active || (len(h.target.Events) > 0 && !slices.Contains(h.target.Events, e.Type)):
		h.counts.Skipped++
		return
	case h.chance.hit(h.how.LossRate):
		h.counts.Lost++
		return
	}
	h.counts.Pending++
	e.Resource.Metadata = h.how.poorer(e.Resource.Metadata, h.chance)
	e.IssuedAt = h.how.shifted(e.IssuedAt, issuedFormat)
	h.buffered = append(h.buffered, e)
	if h.how.Buffer <= 0 {
		h.flush()
		return
	}
	if !h.armed {
		h.armed = true
		time.AfterFunc(time.Duration(h.how.Buffer), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.armed = false
			h.flush()
		})
	}
}

// flush turns the buffer into requests. Called with the lock held.
func (h *hooks) flush() {
	for events := range slices.Chunk(h.buffered, max(1, cmp.Or(h.how.MaxEvents, defaultMaxEvents))) {
		h.queue = append(h.queue, batch{era: h.era, events: slices.Clone(events)})
	}
	h.buffered = nil
	h.startWorkers()
}

// startWorkers sees to it that what waits is sent. Called with the lock held.
func (h *hooks) startWorkers() {
	for range len(h.queue) {
		if h.closed || h.workers >= max(1, cmp.Or(h.how.Concurrency, defaultConcurrency)) {
			return
		}
		h.workers++
		h.wg.Go(h.work)
	}
}

// work sends until nothing waits.
func (h *hooks) work() {
	for {
		b, found := h.pop()
		if !found {
			return
		}
		h.deliver(b)
	}
}

func (h *hooks) pop() (batch, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.queue) == 0 {
		h.workers--
		return batch{}, false
	}
	at := 0
	if h.how.Reorder {
		at = h.chance.pick(len(h.queue))
	}
	b := h.queue[at]
	h.queue = slices.Delete(h.queue, at, at+1)
	return b, true
}

// SetDelivery changes how webhooks travel from now on.
func (s *Server) SetDelivery(how Delivery) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	s.hooks.how = how
}

// Deliveries returns what became of the events, and the last 10,000 requests, oldest first.
func (s *Server) Deliveries() (DeliveryCounts, []DeliveryAttempt) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	return s.hooks.counts, slices.Clone(s.hooks.log)
}

func (h *hooks) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.era++
	h.buffered, h.queue, h.counts, h.log = nil, nil, DeliveryCounts{}, nil
}

func (h *hooks) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.wg.Wait()
	h.http.CloseIdleConnections()
}

// registration returns a copy of the target and whether it is in use.
func (h *hooks) registration() (Webhook, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.target, h.active
}
