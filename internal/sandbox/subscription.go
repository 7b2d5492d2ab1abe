package sandbox

import (
	"slices"
	"strings"
	"time"
)

// Statuses of a subscription.
const (
	SubscriptionActive      = "Active"
	SubscriptionBlacklisted = "Blacklisted"
)

// defaultExpiry is the life of a subscription that asks for none, maxExpiry the longest that can be asked for.
const (
	defaultExpiry = 7 * 24 * time.Hour
	maxExpiry     = 315_360_000 * time.Second
)

// Subscription is a subscription as the API shows it.
type Subscription struct {
	URI             string           `json:"uri"`
	ID              string           `json:"id"`
	CreationTime    Time             `json:"creationTime"`
	Status          string           `json:"status"`
	EventFilters    []string         `json:"eventFilters"`
	ExpirationTime  Time             `json:"expirationTime"`
	ExpiresIn       int              `json:"expiresIn"`
	DeliveryMode    DeliveryMode     `json:"deliveryMode"`
	BlacklistedData *BlacklistedData `json:"blacklistedData,omitempty"`
}

// DeliveryMode is where a subscription's notifications go. The token given at creation is never shown.
type DeliveryMode struct {
	TransportType string `json:"transportType"`
	Address       string `json:"address"`
	Encryption    bool   `json:"encryption"`
}

// BlacklistedData tells when and why a subscription was given up.
type BlacklistedData struct {
	BlacklistedAt Time   `json:"blacklistedAt"`
	Reason        string `json:"reason"`
}

// subscription is a subscription as it is kept. Platform.mu guards it.
type subscription struct {
	id        string
	base      string // of the API as the client addressed it: where attachments in notifications point
	filters   []string
	address   string
	token     string // sent back with each notification
	created   time.Time
	life      time.Duration
	expires   time.Time
	blacklist *BlacklistedData
	failing   time.Time // since when no notification got through; zero while they do
}

func (p *Platform) viewSubscription(s *subscription, base string) Subscription {
	status := SubscriptionActive
	if s.blacklist != nil {
		status = SubscriptionBlacklisted
	}
	return Subscription{
		URI: base + "/restapi/v1.0/subscription/" + s.id, ID: s.id, CreationTime: Time{s.created}, Status: status,
		EventFilters: slices.Clone(s.filters), ExpirationTime: Time{s.expires}, ExpiresIn: whole(s.expires.Sub(p.s.now())),
		DeliveryMode: DeliveryMode{TransportType: "WebHook", Address: s.address}, BlacklistedData: s.blacklist,
	}
}

func (p *Platform) live(s *subscription) bool { return p.s.now().Before(s.expires) }

// prolong begins a subscription's life anew.
func (p *Platform) prolong(s *subscription, life time.Duration) {
	s.life = life
	s.expires = millis(p.s.now().Add(life))
}

func (p *Platform) subscription(id string) *subscription {
	for _, s := range p.subs {
		if s.id == id {
			return s
		}
	}
	return nil
}

// knownFilter is deliberately generous: of the platform's hundreds of events the sandbox sends few.
func knownFilter(filter string) bool {
	path, _, _ := strings.Cut(filter, "?")
	for _, base := range []string{socialBase, advancedBase} {
		if event, found := strings.CutPrefix(path, base+"/contents/"); found {
			return event == socialImported || event == socialExported || event == socialInitiated
		}
	}
	return strings.HasPrefix(path, "/restapi/v1.0/")
}

// Subscriptions returns the live subscriptions, oldest first, blacklisted ones included.
func (p *Platform) Subscriptions() []Subscription {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Subscription
	for _, s := range p.subs {
		if p.live(s) {
			out = append(out, p.viewSubscription(s, ""))
		}
	}
	return out
}

// BlacklistSubscription gives a subscription up for a reason, as the platform does with one whose receiver keeps failing. It
// gets nothing any more, for ever. It returns ErrNotFound for an unknown one.
func (p *Platform) BlacklistSubscription(id, reason string) error {
	return p.onSubscription(id, func(s *subscription) { p.giveUp(s, reason) })
}

// ExpireSubscription ends a subscription's life now, or returns ErrNotFound.
func (p *Platform) ExpireSubscription(id string) error {
	return p.onSubscription(id, func(s *subscription) { s.expires = p.s.now() })
}

// RemoveSubscription deletes a subscription behind its owner's back, or returns ErrNotFound.
func (p *Platform) RemoveSubscription(id string) error {
	return p.onSubscription(id, func(s *subscription) { p.drop(s) })
}

func (p *Platform) drop(s *subscription) {
	p.subs = slices.DeleteFunc(p.subs, func(other *subscription) bool { return other == s })
}

func (p *Platform) onSubscription(id string, do func(*subscription)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.subscription(id)
	if s == nil {
		return ErrNotFound
	}
	do(s)
	return nil
}

func (p *Platform) giveUp(s *subscription, reason string) {
	if s.blacklist == nil {
		s.blacklist = &BlacklistedData{BlacklistedAt: Time{p.s.now()}, Reason: reason}
	}
}
