package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// ErrHandshake is returned by Register when the receiver did not prove itself.
var ErrHandshake = errors.New("sandbox: handshake refused")

// Register points the webhook elsewhere and runs the handshake: a GET with hub.mode, hub.challenge and hub.verify_token, to be
// answered 200 with exactly the challenge. An error means that the webhook is kept but disabled, as the real one is: events
// are skipped until a Register that works. It is ErrHandshake, ErrInvalid for the address, or the connection's.
func (s *Server) Register(ctx context.Context, w Webhook) error {
	target, err := url.Parse(w.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return fmt.Errorf("%w: webhook url", ErrInvalid)
	}
	h := s.hooks
	h.setTarget(w, false)
	challenge := s.ids.next()
	query := target.Query()
	query.Set("hub.mode", "subscribe")
	query.Set("hub.challenge", challenge)
	query.Set("hub.verify_token", w.VerifyToken)
	target.RawQuery = query.Encode()

	var answer bytes.Buffer
	status, err := h.send(ctx, http.MethodGet, target.String(), w.Secret, nil, &answer)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("%w: status %d", ErrHandshake, status)
	case answer.String() != challenge:
		return fmt.Errorf("%w: the answer is not the challenge", ErrHandshake)
	}
	h.setTarget(w, true)
	return nil
}

func (h *hooks) setTarget(w Webhook, active bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.target, h.active = w, active
}
