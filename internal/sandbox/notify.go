package sandbox

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The platform's events that the sandbox sends by itself; Emit sends any other.
const (
	socialImported  = "Imported"
	socialExported  = "Exported"
	socialInitiated = "DiscussionInitiated"
)

// Notification is one notification's envelope. Its uuid is the same however often it is sent.
type Notification struct {
	UUID           string          `json:"uuid"`
	Event          string          `json:"event"`
	Timestamp      string          `json:"timestamp"`
	SubscriptionID string          `json:"subscriptionId"`
	OwnerID        string          `json:"ownerId"`
	Body           json.RawMessage `json:"body"`
}

// Emit sends a notification of any kind to the live subscriptions that have a filter with the path of its event, such as those
// of faxes; with an empty event to all. Empty fields are filled in. It returns how many it went to, or ErrInvalid for a body
// that is no JSON.
func (p *Platform) Emit(out Notification) (int, error) {
	if !json.Valid(out.Body) {
		return 0, fmt.Errorf("%w: notification body", ErrInvalid)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	path, _, _ := strings.Cut(expand(out.Event), "?")
	return p.notify(path, false, func(*subscription, url.Values) any { return out.Body }, out), nil
}

// notify sends an event to every matching filter of every live subscription. body makes what goes to one of them, or nil for
// nothing. Fields set in over stand. Called with the lock held.
func (p *Platform) notify(path string, hint bool, body func(*subscription, url.Values) any, over Notification) int {
	sent := 0
	for _, s := range p.subs {
		if !p.live(s) || s.blacklist != nil {
			continue
		}
		for _, filter := range s.filters {
			at, query, _ := strings.Cut(filter, "?")
			if at != path && path != "" {
				continue
			}
			asked, _ := url.ParseQuery(query) // a filter's odd parts match nothing less
			if made := body(s, asked); made != nil {
				p.post(s, filter, made, hint, over)
				sent++
			}
			if path == "" {
				break
			}
		}
	}
	return sent
}

// post gives one notification to the notifier.
func (p *Platform) post(s *subscription, filter string, body any, hint bool, over Notification) {
	raw, err := json.Marshal(body)
	if err != nil {
		p.s.logger.Error("sandbox notification not encoded", "event", filter, "error", err)
		return
	}
	how := p.notes.settings()
	if !hint {
		raw = how.poorNotice(raw, p.s.faults.chance)
	}
	out := Notification{
		UUID: p.newNoticeID(), Event: filter, Timestamp: how.shifted(p.s.now().UTC().Format(timeFormat), timeFormat), SubscriptionID: s.id,
		OwnerID: ExtensionID, Body: raw,
	}
	if p.cfg.OldEvents {
		out.Timestamp = p.s.now().UTC().Format("2006-01-02T15:04:05.000-0700")
	}
	if over.Event != "" {
		out.Event = over.Event
	}
	if over.UUID != "" {
		out.UUID = over.UUID
	}
	if over.Timestamp != "" {
		out.Timestamp = over.Timestamp
	}
	if over.OwnerID != "" {
		out.OwnerID = over.OwnerID
	}
	text, err := json.Marshal(out)
	if err != nil { // a body that is no JSON: refused by Emit
		return
	}
	p.notes.emit(notice{
		uuid: out.UUID, event: out.Event, subscriptionID: s.id, address: s.address, token: s.token, body: text,
	}, hint)
}

// newNoticeID is a UUID in old events, since 2021 a number of 19 digits.
func (p *Platform) newNoticeID() string {
	if p.cfg.OldEvents {
		return p.newUUID()
	}
	pick := p.s.faults.chance.pick
	return fmt.Sprintf("%d%09d%09d", 1+pick(9), pick(1e9), pick(1e9))
}

// judge keeps account of a subscription's failures: none delivered for BlacklistAfter, and it is given up.
func (p *Platform) judge(out notice, delivered bool, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, now := p.subscription(out.subscriptionID), p.s.now()
	switch {
	case s == nil || p.s.ctx.Err() != nil:
	case delivered:
		s.failing = time.Time{}
	case s.failing.IsZero():
		s.failing = now
	case p.cfg.BlacklistAfter >= 0 && now.Sub(s.failing) >= p.cfg.BlacklistAfter:
		p.giveUp(s, reason)
	}
}

// wants judges a filter's type and direction.
func wants(asked url.Values, m *message) bool {
	kind, direction := asked.Get("type"), asked.Get("direction")
	return (kind == "" || kind == m.kind) && (direction == "" || direction == m.direction)
}

// storePath is where events of an owner's messages are subscribed to.
func storePath(owner string) string {
	return "/restapi/v1.0/account/" + AccountID + "/extension/" + extensionOf(owner) + "/message-store"
}

// hint tells that something changed in the message store, not what it is. Called with the lock held.
func (p *Platform) hint(m *message, created bool) {
	if p.muted {
		return
	}
	p.notify(storePath(m.owner), true, func(_ *subscription, asked url.Values) any {
		if !wants(asked, m) {
			return nil
		}
		change := map[string]any{"type": m.kind, "newCount": 0, "updatedCount": 1}
		var owner any = json.Number(extensionOf(m.owner)) // a number in recordings, a string in the documentation
		if p.cfg.OldEvents {
			owner = extensionOf(m.owner)
		}
		if created {
			change["newCount"], change["updatedCount"] = 1, 0
			if !p.cfg.OldEvents {
				change["newMessageIds"] = []int64{m.id}
			}
		}
		return map[string]any{
			"accountId": AccountID, "extensionId": owner, "lastUpdated": Time{m.modified}, "changes": []any{change},
		}
	}, Notification{})
}

// instant tells of an inbound text, with all there is to know. Ids are strings here, and times have milliseconds.
func (p *Platform) instant(m *message) {
	p.notify(storePath(m.owner)+"/instant", false, func(s *subscription, asked url.Values) any {
		if !wants(asked, m) {
			return nil
		}
		conversation := strconv.FormatInt(m.conversation, 10)
		body := map[string]any{
			"id": strconv.FormatInt(m.id, 10), "to": m.to, "from": m.from, "type": m.kind, "creationTime": Time{m.created},
			"lastModifiedTime": Time{m.modified}, "readStatus": m.read, "priority": "Normal", "attachments": p.eventFiles(m, s.base),
			"direction": m.direction, "availability": m.availability, "subject": m.text, "messageStatus": m.status,
		}
		if p.cfg.OldEvents {
			body["conversationId"] = conversation
			return body
		}
		body["conversation"] = map[string]string{"id": conversation}
		body["eventType"] = "Create"
		body["owner"] = &Owner{ExtensionID: ExtensionID, ExtensionType: extensionUser, Name: "Sandbox User"}
		if m.owner != "" {
			body["owner"] = p.viewOwner(m)
		}
		return body
	}, Notification{})
}

// eventFiles are the attachments with ids as strings; in old events the address is relative.
func (p *Platform) eventFiles(m *message, base string) []map[string]any {
	if p.cfg.OldEvents {
		base = ""
	}
	out := []map[string]any{}
	for _, f := range p.filesOf(m, base) {
		out = append(out, map[string]any{
			"id": strconv.FormatInt(f.ID, 10), "uri": f.URI, "type": f.Type, "contentType": f.ContentType, "size": f.Size,
		})
	}
	return out
}
