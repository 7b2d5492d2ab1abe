package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxDeliveries bounds the log of requests.
const maxDeliveries = 10_000

// DeliveryAttempt is one request sent to the webhook.
type DeliveryAttempt struct {
	At        time.Time `json:"at"`
	RequestID string    `json:"request_id"`
	EventIDs  []string  `json:"event_ids"`
	Types     []string  `json:"types"`
	Try       int       `json:"try"` // from 1
	Duplicate bool      `json:"duplicate,omitempty"`
	Status    int       `json:"status"` // 0 when there was no answer
	Error     string    `json:"error,omitempty"`
}

// deliver sends a batch once and sees to its next try. Each try is a request of its own, with an id of its own; only the
// events' ids persist.
func (h *hooks) deliver(b batch) {
	b.tries++
	requestID := h.ids.next()
	body, err := json.Marshal(map[string]any{"id": requestID, "domain_id": h.domainID, "events": b.events})
	if err != nil { // metadata of Emit that is no JSON: it can never be sent
		h.finish(b, func(c *DeliveryCounts) { c.Dropped += len(b.events) })
		return
	}
	delivered := h.post(b, requestID, body, false)
	if delivered && h.chance.hit(h.delivery().DuplicateRate) {
		h.post(b, requestID, body, true)
	}
	switch {
	case delivered:
		h.finish(b, func(c *DeliveryCounts) { c.Delivered += len(b.events) })
	case b.tries > len(retryDelays()):
		h.finish(b, func(c *DeliveryCounts) { c.Dropped += len(b.events) })
	default:
		scale := cmp.Or(h.delivery().RetryScale, 1)
		wait := time.Duration(float64(retryDelays()[b.tries-1]) * scale)
		time.AfterFunc(wait, func() { h.again(b) })
	}
}

// again queues a batch for its next try.
func (h *hooks) again(b batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || b.era != h.era {
		return
	}
	h.queue = append(h.queue, b)
	h.startWorkers()
}

// finish counts a batch that will not be sent again.
func (h *hooks) finish(b batch, count func(*DeliveryCounts)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.era == h.era {
		h.counts.Pending -= len(b.events)
		count(&h.counts)
	}
}

func (h *hooks) delivery() Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.how
}

// post sends a request and tells whether it was answered exactly 200.
func (h *hooks) post(b batch, requestID string, body []byte, duplicate bool) bool {
	at := h.now()
	target, _ := h.registration()
	status, err := h.send(h.ctx, http.MethodPost, target.URL, target.Secret, body, nil)
	a := DeliveryAttempt{At: at, RequestID: requestID, Try: b.tries, Duplicate: duplicate, Status: status}
	for _, e := range b.events {
		a.EventIDs, a.Types = append(a.EventIDs, e.ID), append(a.Types, e.Type)
	}
	if err != nil {
		a.Error = err.Error()
	}
	h.record(b, a)
	h.logger.Debug("sandbox delivery", "request_id", requestID, "events", len(b.events), "try", b.tries,
		"duplicate", duplicate, "status", status, "error", a.Error)
	return status == http.StatusOK
}

func (h *hooks) record(b batch, a DeliveryAttempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.era != h.era {
		return
	}
	h.counts.Requests++
	if a.Status != http.StatusOK {
		h.counts.Failed++
	}
	if len(h.log) >= maxDeliveries {
		h.log = h.log[1:]
	}
	h.log = append(h.log, a)
}

// send makes one request and reads the answer into out, if wanted. Its errors name no address: the handshake's holds the
// verify token.
func (h *hooks) send(ctx context.Context, method, to, secret string, body []byte, out *bytes.Buffer) (int, error) {
	how := h.delivery()
	timeout := cmp.Or(time.Duration(how.Timeout), defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent, encoding := how.packed(body)
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(sent))
	if err != nil {
		return 0, fmt.Errorf("sandbox: webhook: %w", withoutURL(err))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	if secret != "" {
		req.Header.Set("X-Dimelo-Secret", secret)
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("sandbox: webhook: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	dst := io.Discard
	if out != nil {
		dst = out
	}
	_, err = io.Copy(dst, io.LimitReader(resp.Body, 1<<20)) // a receiver's answer is short; the rest is not our business
	if err != nil {
		return 0, fmt.Errorf("sandbox: webhook: %w", err)
	}
	return resp.StatusCode, nil
}

func withoutURL(err error) error {
	if u, is := errors.AsType[*url.Error](err); is {
		return u.Err
	}
	return err
}
