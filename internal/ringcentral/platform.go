package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// The operations of the platform besides those that Engage has too.
const (
	opAuthenticate = "authenticate"

	opSendSMS       = "send_sms"
	opSendMMS       = "send_mms"
	opMessages      = "list_messages"
	opMessage       = "get_message"
	opSyncMessages  = "sync_messages"
	opUpdateMessage = "update_message"
	opRestore       = "restore_message"
	opDeleteMessage = "delete_message"
	opAttachment    = "get_attachment"
	opNumbers       = "list_numbers"

	opSubscriptions      = "list_subscriptions"
	opSubscription       = "get_subscription"
	opCreateSubscription = "create_subscription"
	opUpdateSubscription = "update_subscription"
	opRenewSubscription  = "renew_subscription"
	opDeleteSubscription = "delete_subscription"
)

func platformOps() []string {
	return []string{
		opAuthenticate, opContents, opContent, opCreateContent, opIdentities, opIdentity,
		opSendSMS, opSendMMS, opMessages, opMessage, opSyncMessages, opUpdateMessage, opRestore, opDeleteMessage, opAttachment, opNumbers,
		opSubscriptions, opSubscription, opCreateSubscription, opUpdateSubscription, opRenewSubscription, opDeleteSubscription,
	}
}

const (
	// restPath is where everything but contents and identities is.
	restPath = "/restapi/v1.0"
	// extensionPath is the user's own part of it.
	extensionPath = restPath + "/account/~/extension/~"
	// routeSMS is counted together, whatever is sent with it.
	routeSMS = "sms"
	// penaltyFloor is how long a 429 without a Retry-After is obeyed: each request within the window would begin it anew.
	penaltyFloor = 30 * time.Second
)

// Platform calls the RingCentral platform as one user: contents and identities of Social or Advanced Messaging, text messages, the message
// store, subscriptions. It authenticates by itself, and all of its calls share the budgets of the rate groups that the platform tells.
// Every method returns nil or an *Error. Safe for concurrent use; a process has one for an account, as the platform counts its sessions.
type Platform struct {
	c            *client
	groups       *groups
	session      *session
	contentsPath string // empty = off
	names        names
}

// NewPlatform returns a client for cfg, which must be valid and enabled. It makes no call. Close it when done.
func NewPlatform(cfg PlatformConfig, deps Deps) *Platform {
	c := newClient("platform", cfg.ServerURL, deps)
	sms := newLimiter(groupSMS, plan{rate: cfg.SMSRate, window: minute, burst: burstPart, patience: groupPatience})
	p := &Platform{c: c, groups: newGroups(c.api, c.m, map[string]*limiter{routeSMS: sms}), names: namesOf(cfg.ContentsPath)}
	if cfg.ContentsPath != ContentsOff {
		p.contentsPath = strings.TrimRight(cfg.ContentsPath, "/")
	}
	p.session = newSession(newTokenSource(c, cfg))
	c.limits, c.creds = p.groups, p.session
	c.explain, c.leastPenalty = explainPlatform, penaltyFloor
	c.m.prefill(c.api, platformOps())
	c.m.tokenExpiry.WithLabelValues(c.api)
	return p
}

// Close ends an authentication under way and lets go of idle connections. Calls under way are not ended; their contexts do that.
func (p *Platform) Close() {
	p.session.close()
	p.c.http.CloseIdleConnections()
}

// Authenticate returns nil once there is a valid access token: a check of the credentials that costs no other call.
func (p *Platform) Authenticate(ctx context.Context) error {
	_, err := p.session.authorize(ctx, opAuthenticate)
	if err == nil {
		p.session.handBack()
	}
	return err
}

// Now returns the time by the clock of the API, to a second. The first time it may get the access token that the next call needs; it
// fails, as not sent, where no answer has told the time.
func (p *Platform) Now(ctx context.Context) (time.Time, error) {
	return p.c.clock.now(func() error { return p.Authenticate(ctx) })
}

// HoldUntil returns when the last penalty window of any budget ends or ended; zero if there was none.
func (p *Platform) HoldUntil() time.Time { return p.groups.holdUntil() }

// Share makes fraction (0 to 1) of every limit this process's, those that are yet to be learned too: replicas divide what the platform
// gives to one application and user. Authentication is not divided: every process needs a token of its own.
func (p *Platform) Share(fraction float64) { p.groups.setShare(fraction) }

// get reads one resource that has an id.
func (p *Platform) get(ctx context.Context, op, path string) (json.RawMessage, error) {
	var resource json.RawMessage
	err := p.c.do(ctx, call{op: op, method: http.MethodGet, path: path, priority: Poll, read: readResource(&resource)})
	return resource, err
}
