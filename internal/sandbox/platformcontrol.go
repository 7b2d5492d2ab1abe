package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
)

// control adds the platform's part of the control surface; see the package documentation.
func (p *Platform) control(handle func(string, func(*http.Request) (any, error))) {
	do := func(action func()) func(*http.Request) (any, error) {
		return func(*http.Request) (any, error) { action(); return done{true}, nil }
	}
	handle("GET /sandbox/platform", func(*http.Request) (any, error) { return p.summary(), nil })
	handle("POST /sandbox/platform/messages", decoded(p.ImportMessages))
	handle("GET /sandbox/platform/messages", func(*http.Request) (any, error) { return p.Messages(), nil })
	handle("POST /sandbox/platform/messages/{id}", p.editMessageRequest)
	handle("POST /sandbox/platform/sync-tokens/expire", do(p.ExpireSyncTokens))
	handle("POST /sandbox/platform/contents", decoded(p.ImportContents))
	handle("GET /sandbox/platform/contents", func(*http.Request) (any, error) { return p.Contents(), nil })
	handle("POST /sandbox/platform/contents/{id}", func(r *http.Request) (any, error) {
		return decoded(func(e SocialEdit) (SocialContent, error) { return p.EditContent(r.PathValue("id"), e) })(r)
	})
	handle("POST /sandbox/platform/identities", decoded(func(i SocialIdentity) (SocialIdentity, error) {
		return p.PutIdentity(i), nil
	}))
	handle("GET /sandbox/platform/subscriptions", func(*http.Request) (any, error) { return p.Subscriptions(), nil })
	handle("POST /sandbox/platform/subscriptions/{id}/expire", onID(p.ExpireSubscription))
	handle("DELETE /sandbox/platform/subscriptions/{id}", onID(p.RemoveSubscription))
	handle("POST /sandbox/platform/subscriptions/{id}/blacklist", onID(func(id string) error {
		return p.BlacklistSubscription(id, "Blacklisted by control")
	}))
	handle("POST /sandbox/platform/notifications", decoded(func(n Notifications) (Notifications, error) {
		p.SetNotifications(n)
		return n, nil
	}))
	handle("GET /sandbox/platform/notifications", func(*http.Request) (any, error) {
		counts, attempts := p.Notifications()
		return map[string]any{"notifications": p.notes.settings(), "counters": counts, "attempts": attempts}, nil
	})
	handle("POST /sandbox/platform/events", decoded(func(n Notification) (map[string]int, error) {
		sent, err := p.Emit(n)
		return map[string]int{"emitted": sent}, err
	}))
	handle("POST /sandbox/platform/credentials/revoke", do(p.RevokeCredentials))
	handle("POST /sandbox/platform/credentials/restore", do(p.RestoreCredentials))
	handle("POST /sandbox/platform/tokens/expire", do(p.ExpireTokens))
	handle("POST /sandbox/platform/rates/{id}/exhaust", onID(func(group string) error {
		p.Exhaust(RateGroup(group))
		return nil
	}))
}

// summary is what a run is judged by.
func (p *Platform) summary() map[string]any {
	counts, _ := p.Notifications()
	return map[string]any{
		"auth": p.Auth(), "rates": p.Rates(), "offenders": p.Offenders(), "disasters": p.Disasters(), "notifications": counts,
	}
}

func (p *Platform) editMessageRequest(r *http.Request) (any, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: the id is not a number", ErrInvalid)
	}
	return decoded(func(e MessageEdit) (Message, error) { return p.EditMessage(id, e) })(r)
}
