package sandbox

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The account and the extension of the token's user. A path may name them or say "~".
const (
	AccountID   = "400131426008"
	ExtensionID = "400131426009"
)

// Platform is the simulated RingCentral platform: OAuth, Social and Advanced Messaging, text messages, subscriptions. It shares
// listener, faults, call log and clock with the Engage Digital half, and nothing else. All methods are safe for concurrent use;
// none blocks on the network.
type Platform struct {
	s        *Server
	cfg      PlatformConfig
	sessions *sessions
	rates    *rateGroups
	sms      *rateWindow
	notes    *notifier

	mu     sync.Mutex // guards the rest; taken before the locks of the above
	store  *store
	social *socialState
	subs   []*subscription // oldest first
	serial int64           // the last number given as an id
	muted  bool            // no hint is sent of the change under way
}

func newPlatform(s *Server, cfg PlatformConfig, client *http.Client) *Platform {
	cfg = cfg.withDefaults(s.ids)
	p := &Platform{
		s: s, cfg: cfg, sessions: newSessions(cfg, s), rates: newRateGroups(cfg, s.now), serial: firstSerial,
		sms: newRateWindow(max(0, cfg.SMSPerMinute), s.now), store: newStore(),
	}
	p.notes = newNotifier(p, client)
	p.social = newSocialState(cfg)
	return p
}

// firstSerial is below the first id of messages, attachments and numbers.
const firstSerial = 403_038_404_000

// next returns a new number for an id. Called with the lock held.
func (p *Platform) next() int64 {
	p.serial += 4
	return p.serial
}

// reset forgets what was sent, received and counted; subscriptions and tokens stay.
func (p *Platform) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	epoch := p.store.epoch + 1
	p.store, p.social = newStore(), newSocialState(p.cfg)
	p.store.epoch = epoch
	p.rates.clear()
	p.sms.clear()
	p.sessions.clearCounts()
	p.notes.reset()
}

// extension is the path of the user's own resources.
const extension = "/restapi/v1.0/account/{account}/extension/{extension}"

// routes adds the API's addresses. The spelling of the group is the one that its headers show: some services say Light, others
// light, and a client must not mind.
func (p *Platform) routes(mux *http.ServeMux) {
	add := func(group, route string, h handler) {
		mux.Handle(route, p.s.serve(p.dialectOf(group, route), route, p.limited(h)))
	}
	open := func(route string, h handler) {
		d := p.dialectOf("Auth", route)
		d.open = true
		mux.Handle(route, p.s.serve(d, route, p.limited(h)))
	}
	open("POST /restapi/oauth/token", p.token)
	open("POST /restapi/oauth/revoke", p.revoke)
	for _, base := range []string{socialBase, advancedBase} {
		api := &socialAPI{Platform: p, old: p.cfg.OldNames || base == advancedBase, advanced: base == advancedBase}
		add("light", "GET "+base+"/contents", api.listContents)
		add("light", "POST "+base+"/contents", api.createContent)
		add("light", "GET "+base+"/contents/{id}", api.getContent)
		add("light", "GET "+base+"/identities", api.listIdentities)
		add("light", "GET "+base+"/identities/{id}", api.getIdentity)
	}
	add("Medium", "POST "+extension+"/sms", p.owned(p.sendSMS))
	add("Light", "GET "+extension+"/message-store", p.owned(p.listMessages))
	add("Light", "GET "+extension+"/message-store/{id}", p.owned(p.getMessage))
	add("Medium", "PUT "+extension+"/message-store/{id}", p.owned(p.putMessage))
	add("Medium", "PATCH "+extension+"/message-store/{id}", p.owned(p.patchMessage))
	add("Medium", "DELETE "+extension+"/message-store/{id}", p.owned(p.deleteMessage))
	add("Medium", "DELETE "+extension+"/message-store", p.owned(p.deleteAll))
	add("Medium", "DELETE "+extension+"/message-store/{$}", p.owned(p.deleteAll))
	add("Medium", "GET "+extension+"/message-store/{id}/content/{attachment}", p.owned(p.downloadContent))
	add("Light", "GET "+extension+"/message-sync", p.owned(p.syncMessages))
	add("light", "GET "+extension+"/phone-number", p.owned(p.listNumbers))
	add("Medium", "POST /restapi/v1.0/subscription", p.createSubscription)
	add("Light", "GET /restapi/v1.0/subscription", p.listSubscriptions)
	add("Light", "GET /restapi/v1.0/subscription/{id}", p.getSubscription)
	add("Medium", "PUT /restapi/v1.0/subscription/{id}", p.updateSubscription)
	add("Light", "POST /restapi/v1.0/subscription/{id}/renew", p.renewSubscription)
	add("Medium", "DELETE /restapi/v1.0/subscription/{id}", p.deleteSubscription)
	for _, rest := range []string{"/restapi/", socialBase + "/", advancedBase + "/"} {
		add("Light", rest, func(*call) reply { return missing("this address") })
	}
}

// owned refuses other accounts and extensions than the user's own.
func (p *Platform) owned(h handler) handler {
	return func(c *call) reply {
		if a := c.r.PathValue("account"); a != "~" && a != AccountID {
			return missing("accountId")
		}
		if e := c.r.PathValue("extension"); e != "~" && e != ExtensionID && p.queue(e) == nil {
			return missing("extensionId")
		}
		return h(c)
	}
}

// baseOf returns scheme and host of the API as the client addressed it.
func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// after runs do later, with the lock held, unless the sandbox was closed or reset meanwhile. At once if d is 0, never below.
// Called with the lock held.
func (p *Platform) after(d time.Duration, do func()) {
	switch {
	case d < 0:
	case d == 0:
		do()
	default:
		store := p.store
		time.AfterFunc(d, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.s.ctx.Err() == nil && p.store == store {
				do()
			}
		})
	}
}

// Time is a time as the platform writes it: UTC, with exactly three digits of a second.
type Time struct{ time.Time }

const timeFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, t.UTC().Format(timeFormat)), nil
}

// wholeSeconds is a creationTime of the REST API, whose milliseconds are always zero.
func wholeSeconds(t time.Time) Time { return Time{seconds(t)} }

// millis is what the platform keeps of a time.
func millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
