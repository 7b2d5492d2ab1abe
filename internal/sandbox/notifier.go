package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Notifications is how they travel. The zero value sends each at once, and once: the platform documents neither a retry nor an
// order, so what fails is lost.
type Notifications struct {
	LossRate      float64  `json:"loss_rate"`      // share of all never sent, 0 to 1
	HintLossRate  float64  `json:"hint_loss_rate"` // share of message-store hints never sent
	DuplicateRate float64  `json:"duplicate_rate"` // share of accepted ones sent once more, alike to the byte
	Reorder       bool     `json:"reorder"`        // send what waits in random order
	Delay         Duration `json:"delay"`          // before each is sent
	Concurrency   int      `json:"concurrency"`    // requests at a time; 0 means 4
	Timeout       Duration `json:"timeout"`        // of one request, and of the handshake; 0 means the documented 3 s
	// TokenHeader is where the verification token goes: Verification-Token when empty. An older guide says Validation-Token.
	TokenHeader string `json:"token_header"`
	Payload
}

// NotificationCounts say what became of them.
type NotificationCounts struct {
	Emitted   int `json:"emitted"`   // one for each filter of a live subscription that matched
	Delivered int `json:"delivered"` // answered 200 in time
	Lost      int `json:"lost"`      // by LossRate or HintLossRate
	Failed    int `json:"failed"`    // not answered so, and not sent again
	Pending   int `json:"pending"`
	Hints     int `json:"hints"` // of those emitted
}

// NotificationAttempt is one request to a receiver.
type NotificationAttempt struct {
	At             time.Time `json:"at"`
	UUID           string    `json:"uuid"`
	Event          string    `json:"event"`
	SubscriptionID string    `json:"subscription_id"`
	Duplicate      bool      `json:"duplicate,omitempty"`
	Status         int       `json:"status"` // 0 when there was no answer
	Error          string    `json:"error,omitempty"`
}

// notice is a notification on its way.
type notice struct {
	era            int
	uuid, event    string
	subscriptionID string
	address, token string
	body           []byte
}

// notifier sends notifications. Goroutines exist only while one is on its way. Safe for concurrent use; its lock is taken after
// Platform.mu, never before.
type notifier struct {
	p    *Platform
	http *http.Client
	wg   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	era     int
	how     Notifications
	queue   []notice
	workers int
	counts  NotificationCounts
	log     []NotificationAttempt
}

func newNotifier(p *Platform, client *http.Client) *notifier {
	out := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: idleConnections}}
	if client != nil {
		out = *client
	}
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &notifier{p: p, http: &out, how: p.cfg.Notifications}
}

func (n *notifier) settings() Notifications {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.how
}

// emit takes a notification to be sent, or loses it.
func (n *notifier) emit(out notice, hint bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.counts.Emitted++
	chance := n.p.s.faults.chance
	lost := chance.hit(n.how.LossRate)
	if hint {
		n.counts.Hints++
		lost = chance.hit(n.how.HintLossRate) || lost
	}
	if lost {
		n.counts.Lost++
		return
	}
	n.counts.Pending++
	out.era = n.era
	if n.how.Delay <= 0 {
		n.enqueue(out)
		return
	}
	time.AfterFunc(time.Duration(n.how.Delay), func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !n.closed && out.era == n.era {
			n.enqueue(out)
		}
	})
}

// enqueue sees to it that a notification is sent. Called with the lock held.
func (n *notifier) enqueue(out notice) {
	n.queue = append(n.queue, out)
	if n.workers < max(1, cmp.Or(n.how.Concurrency, defaultConcurrency)) {
		n.workers++
		n.wg.Go(n.work)
	}
}

func (n *notifier) work() {
	for {
		out, found := n.pop()
		if !found {
			return
		}
		if n.post(out, false) && n.p.s.faults.chance.hit(n.settings().DuplicateRate) {
			n.post(out, true)
		}
	}
}

func (n *notifier) pop() (notice, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.queue) == 0 {
		n.workers--
		return notice{}, false
	}
	at := 0
	if n.how.Reorder {
		at = n.p.s.faults.chance.pick(len(n.queue))
	}
	out := n.queue[at]
	n.queue[at] = n.queue[0]
	n.queue = n.queue[1:]
	return out, true
}

// post sends a notification and tells whether it was answered 200 in time.
func (n *notifier) post(out notice, duplicate bool) bool {
	how := n.settings()
	ctx, cancel := context.WithTimeout(n.p.s.ctx, cmp.Or(time.Duration(how.Timeout), handshakeTimeout))
	defer cancel()
	header := http.Header{"Content-Type": {"application/json; charset=UTF-8"}}
	if out.token != "" {
		header.Set(cmp.Or(how.TokenHeader, "Verification-Token"), out.token)
	}
	a := NotificationAttempt{
		At: n.p.s.now(), UUID: out.uuid, Event: out.event, SubscriptionID: out.subscriptionID, Duplicate: duplicate,
	}
	body, encoding := how.packed(out.body)
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	resp, err := n.send(ctx, out.address, header, body)
	reason := "I/O operation is failed. Details: [Read timed out]"
	if err != nil {
		a.Error = err.Error()
	} else {
		a.Status = resp.status
		reason = fmt.Sprintf("Webhook responses with code: [%d], reason: [%s]", a.Status, http.StatusText(a.Status))
	}
	delivered := a.Status == http.StatusOK
	n.record(out, a, delivered)
	n.p.judge(out, delivered, reason)
	n.p.s.logger.Debug("sandbox notification", "uuid", out.uuid, "event", out.event, "duplicate", duplicate,
		"status", a.Status, "error", a.Error)
	return delivered
}

func (n *notifier) record(out notice, a NotificationAttempt, delivered bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if out.era != n.era {
		return
	}
	if len(n.log) >= maxDeliveries {
		n.log = n.log[1:]
	}
	n.log = append(n.log, a)
	switch {
	case a.Duplicate:
	case delivered:
		n.counts.Pending--
		n.counts.Delivered++
	default:
		n.counts.Pending--
		n.counts.Failed++
	}
}

// answered is a receiver's answer.
type answered struct {
	status int
	header http.Header
	size   int // in bytes, headers included
}

// send makes one request.
func (n *notifier) send(ctx context.Context, to string, header http.Header, body []byte) (answered, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return answered{}, fmt.Errorf("sandbox: notification: %w", withoutURL(err))
	}
	req.Header = header
	req.Header.Set("User-Agent", "RingCentral-Webhook/8.3")
	resp, err := n.http.Do(req)
	if err != nil {
		return answered{}, fmt.Errorf("sandbox: notification: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	var head bytes.Buffer
	_ = resp.Header.Write(&head) // memory does not fail
	read, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answered{}, fmt.Errorf("sandbox: notification: %w", err)
	}
	return answered{status: resp.StatusCode, header: resp.Header, size: head.Len() + int(read)}, nil
}

func jsonType(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

func (n *notifier) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.era++
	n.queue, n.counts, n.log = nil, NotificationCounts{}, nil
}

func (n *notifier) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.wg.Wait()
	n.http.CloseIdleConnections()
}

// SetNotifications changes how notifications travel from now on.
func (p *Platform) SetNotifications(how Notifications) {
	p.notes.mu.Lock()
	defer p.notes.mu.Unlock()
	p.notes.how = how
}

// Notifications returns what became of them, and the last 10,000 requests, oldest first.
func (p *Platform) Notifications() (NotificationCounts, []NotificationAttempt) {
	p.notes.mu.Lock()
	defer p.notes.mu.Unlock()
	return p.notes.counts, slices.Clone(p.notes.log)
}
