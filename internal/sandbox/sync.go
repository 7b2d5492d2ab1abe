package sandbox

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// syncOverlap is how far an incremental sync reads back behind its token: what changed within comes again.
const syncOverlap = 5 * time.Second

// syncToken is what a sync token holds: where to go on, and the frame of the full sync that began it.
type syncToken struct {
	Epoch  int
	At     time.Time
	Filter messageFilter // From is the frame's beginning; To is not used
}

func (t syncToken) String() string {
	raw, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("sandbox: sync token: %v", err)) // strings and years before 10000 always encode
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// syncMessages is GET …/message-sync.
func (p *Platform) syncMessages(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, refused := p.readFilter(c)
	if refused != nil {
		return *refused
	}
	count, err := number(c.params.get("recordCount"), 0)
	if err != nil || count < 0 {
		return badParameter("recordCount")
	}
	switch c.params.get("syncType") {
	case "FSync", "":
		return p.fullSync(c, f, count)
	case "ISync":
		return p.incrementalSync(c, f)
	}
	return badParameter("syncType")
}

// fullSync gives what there is in the frame, the newest records first, not more than count unless that is 0. Deleted messages are not there.
func (p *Platform) fullSync(c *call, f messageFilter, count int) reply {
	f.Availabilities, f.Phone, f.ReadStatuses = nil, "", nil // filters of the list, not of a sync
	found := p.find(f, false)
	older := len(p.store.byCreated) > 0 && seconds(p.store.byCreated[0].created).Before(f.From)
	if count > 0 && len(found) > count {
		found, older = found[:count], true
		f.From = seconds(found[count-1].created)
	}
	return p.synced(c, "FSync", f, found, older)
}

// incrementalSync gives what changed since the token, overlapping by syncOverlap, of the messages within the frame. A dateFrom
// before the frame's widens it, and brings what lies between. Messages that are gone come with id and availability only.
func (p *Platform) incrementalSync(c *call, asked messageFilter) reply {
	text := c.params.get("syncToken")
	if text == "" {
		return badParameter("syncToken")
	}
	token, good := p.readSyncToken(text)
	if !good {
		return p.syncLost()
	}
	f := token.Filter
	found := slices.DeleteFunc(p.store.changedSince(millis(token.At.Add(-syncOverlap))), func(m *message) bool {
		return seconds(m.created).Before(f.From) || !f.takes(m)
	})
	if c.params.values.Has("dateFrom") && asked.From.Before(f.From) {
		wide := f
		wide.From, wide.To = asked.From, f.From.Add(-1)
		found = append(found, p.find(wide, false)...)
		f.From = asked.From
	}
	slices.SortFunc(found, func(a, b *message) int { return byCreation(b, a) })
	older := len(p.store.byCreated) > 0 && seconds(p.store.byCreated[0].created).Before(f.From)
	return p.synced(c, "ISync", f, slices.Compact(found), older)
}

// synced is the answer. There is no paging: it holds everything.
func (p *Platform) synced(c *call, kind string, f messageFilter, found []*message, older bool) reply {
	now := millis(p.s.now())
	base := baseOf(c.r)
	records := make([]Message, len(found))
	for i, m := range found {
		records[i] = p.view(m, base)
		if m.availability != AvailabilityAlive {
			records[i] = Message{ID: m.id, Availability: m.availability}
		}
	}
	f.To, f.Distinct = time.Time{}, false
	return ok(map[string]any{
		"uri":     base + expand(c.r.URL.Path) + "?" + c.r.URL.RawQuery,
		"records": records,
		"syncInfo": map[string]any{
			"syncType": kind, "syncToken": syncToken{Epoch: p.store.epoch, At: now, Filter: f}.String(),
			"syncTime": Time{now}, "olderRecordsExist": older,
		},
	})
}

func (p *Platform) readSyncToken(text string) (syncToken, bool) {
	var t syncToken
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &t) != nil || t.Epoch != p.store.epoch {
		return t, false
	}
	life := cmp.Or(p.cfg.SyncTokenLife, 100*365*24*time.Hour)
	return t, p.s.now().Sub(t.At) < life
}

// syncLost is the 400 for a token that is too old or never was: two forms are known.
func (p *Platform) syncLost() reply {
	if p.cfg.SyncTokenError == codeInvalid {
		rep := badParameter("syncToken")
		e := rep.body.(platformError)
		e.Message = "Parameter [syncToken] is invalid"
		e.Errors[0].Message = e.Message
		rep.body = e
		return rep
	}
	return refused(http.StatusBadRequest, p.cfg.SyncTokenError, "Sync token is too old. Full synchronization is required")
}

// ExpireSyncTokens makes every sync token given so far worthless.
func (p *Platform) ExpireSyncTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.store.epoch++
}
