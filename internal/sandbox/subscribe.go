package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// subscribeRequest is the body of POST and PUT. An expiresIn inside deliveryMode is not seen: that subscription lives seven days.
type subscribeRequest struct {
	EventFilters []string `json:"eventFilters"`
	ExpiresIn    *int     `json:"expiresIn"`
	DeliveryMode struct {
		TransportType     string `json:"transportType"`
		Address           string `json:"address"`
		VerificationToken string `json:"verificationToken"`
	} `json:"deliveryMode"`
}

// life reads expiresIn.
func (in *subscribeRequest) life(absent time.Duration) (time.Duration, *reply) {
	if in.ExpiresIn == nil {
		return absent, nil
	}
	if life := time.Duration(*in.ExpiresIn) * time.Second; *in.ExpiresIn > 0 && life <= maxExpiry {
		return life, nil
	}
	rep := badParameter("expiresIn")
	e := rep.body.(platformError)
	e.ErrorCode = "InvalidParameter" // as recorded: the code at the top is not that of the detail
	rep.body = e
	return 0, &rep
}

// createSubscription is POST /restapi/v1.0/subscription. Nothing tells it from one made before: called twice it makes two.
func (p *Platform) createSubscription(c *call) reply {
	var in subscribeRequest
	if err := json.Unmarshal(c.body, &in); err != nil {
		return badParameter("body")
	}
	life, refused := in.life(defaultExpiry)
	if refused == nil {
		refused = p.refuseSubscription(in)
	}
	if refused != nil {
		return *refused
	}
	// The receiver is asked while its own call is under way, and without the lock.
	if code, message := p.notes.shakeHands(c.r.Context(), in.DeliveryMode.Address); code != "" {
		return reply{status: http.StatusBadRequest, body: coded(code, message)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &subscription{
		id: p.newUUID(), base: baseOf(c.r), filters: expanded(in.EventFilters), address: in.DeliveryMode.Address,
		token: in.DeliveryMode.VerificationToken, created: millis(p.s.now()),
	}
	p.prolong(s, life)
	p.subs = append(p.subs, s)
	return ok(p.viewSubscription(s, baseOf(c.r)))
}

func expanded(filters []string) []string {
	out := make([]string, len(filters))
	for i, f := range filters {
		out[i] = expand(f)
	}
	return out
}

func (p *Platform) refuseSubscription(in subscribeRequest) *reply {
	refuse := func(rep reply) *reply { return &rep }
	mode := in.DeliveryMode
	if mode.TransportType != "WebHook" {
		return refuse(badParameter("deliveryMode.transportType"))
	}
	target, err := url.Parse(mode.Address)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return refuse(badParameter("deliveryMode.address"))
	}
	if p.cfg.RequireHTTPS && target.Scheme != "https" {
		return refuse(refused(http.StatusBadRequest, codeNotHTTPS, "HTTPS is required"))
	}
	if refused := refuseFilters(in.EventFilters); refused != nil {
		return refused
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	live := 0
	for _, s := range p.subs {
		if p.live(s) {
			live++
		}
	}
	if live >= p.cfg.MaxSubscriptions {
		return refuse(refused(http.StatusForbidden, codeSubLimit, "Subscriptions limit exceeded"))
	}
	return nil
}

func refuseFilters(filters []string) *reply {
	if len(filters) > 0 && !slices.ContainsFunc(filters, func(f string) bool { return !knownFilter(f) }) {
		return nil
	}
	rep := refused(http.StatusBadRequest, codeFilters, "Event filters are not valid")
	return &rep
}

func (p *Platform) newUUID() string {
	pick := func(bits int) int { return p.s.faults.chance.pick(1 << bits) }
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", pick(31), pick(16), pick(12), pick(12), pick(31))
}

// listSubscriptions is GET /restapi/v1.0/subscription.
func (p *Platform) listSubscriptions(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	records := []Subscription{}
	for _, s := range p.subs {
		if p.live(s) {
			records = append(records, p.viewSubscription(s, baseOf(c.r)))
		}
	}
	return ok(map[string]any{"uri": baseOf(c.r) + c.r.URL.Path, "records": records})
}

// withSubscription runs do on the subscription of the path, with the lock held.
func (p *Platform) withSubscription(c *call, do func(*subscription) *reply) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.subscription(c.r.PathValue("id"))
	if s == nil {
		return missing("subscriptionId")
	}
	if !p.live(s) {
		return refused(http.StatusNotFound, codeSubExpired, "Subscription is expired")
	}
	if rep := do(s); rep != nil {
		return *rep
	}
	return ok(p.viewSubscription(s, baseOf(c.r)))
}

func (p *Platform) getSubscription(c *call) reply {
	return p.withSubscription(c, func(*subscription) *reply { return nil })
}

// renewSubscription is POST …/renew: the same life again. What is blacklisted stays so.
func (p *Platform) renewSubscription(c *call) reply {
	return p.withSubscription(c, func(s *subscription) *reply {
		p.prolong(s, s.life)
		return nil
	})
}

// updateSubscription is PUT: an empty body renews, eventFilters replace the former. The address stays, whatever is sent.
func (p *Platform) updateSubscription(c *call) reply {
	var in subscribeRequest
	if len(c.body) > 0 {
		if err := json.Unmarshal(c.body, &in); err != nil {
			return badParameter("body")
		}
	}
	return p.withSubscription(c, func(s *subscription) *reply {
		life, refused := in.life(s.life)
		if refused == nil && in.EventFilters != nil {
			refused = refuseFilters(in.EventFilters)
		}
		if refused != nil {
			return refused
		}
		if in.EventFilters != nil {
			s.filters = expanded(in.EventFilters)
		}
		p.prolong(s, life)
		return nil
	})
}

func (p *Platform) deleteSubscription(c *call) reply {
	return p.withSubscription(c, func(s *subscription) *reply {
		p.drop(s)
		return &reply{status: http.StatusNoContent, raw: []byte{}}
	})
}

// Documented limits of the handshake.
const (
	handshakeTimeout = 3 * time.Second
	maxHandshake     = 1024 // bytes of headers and body
)

// shakeHands sends a Validation-Token, which the receiver has to send back. It returns the code of what went wrong.
func (n *notifier) shakeHands(ctx context.Context, address string) (code, message string) {
	token := n.p.newUUID()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(time.Duration(n.settings().Timeout), handshakeTimeout))
	defer cancel()
	resp, err := n.send(ctx, address, http.Header{"Validation-Token": {token}}, nil)
	switch {
	case err != nil:
		return codeUnreachable, "WebHook is not reachable"
	case resp.status != http.StatusOK:
		return codeUnreachable, fmt.Sprintf("WebHook responds with incorrect HTTP status. HTTP status is %d", resp.status)
	case resp.header.Get("Validation-Token") != token:
		return codeNotEchoed, "WebHook response does not contain the Validation-Token header"
	case resp.size > maxHandshake || !jsonType(resp.header.Get("Content-Type")):
		return codeBadAnswer, "WebHook response is not valid"
	}
	return "", ""
}
