package sandbox

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultPerPage and maxPerPage are the sizes of the platform's pages; a larger one is taken as the largest.
const (
	defaultPerPage = 100
	maxPerPage     = 1000
)

// defaultFrame is how far back a list and a full sync look when not told.
const defaultFrame = 24 * time.Hour

// messageFilter is what a list and a sync can be asked for. Values of one parameter are alternatives.
type messageFilter struct {
	From, To       time.Time
	Types          []string `json:",omitempty"`
	Directions     []string `json:",omitempty"`
	Availabilities []string `json:",omitempty"`
	ReadStatuses   []string `json:",omitempty"`
	Conversation   string   `json:",omitempty"`
	Phone          string   `json:",omitempty"`
	Distinct       bool     `json:",omitempty"`
	Store          string   `json:",omitempty"` // whose the path names; "" is the user's
	Owners         []string `json:",omitempty"` // Personal, Any or ids of extensions
	OwnerTypes     []string `json:",omitempty"`
}

// readFilter reads the parameters; a refusal names the first that is wrong.
func (p *Platform) readFilter(c *call) (messageFilter, *reply) {
	q := c.params.values
	f := messageFilter{
		Store: p.storeOf(c), Owners: values(q, "owner"), OwnerTypes: values(q, "ownerExtensionType"),
		Types: values(q, "messageType"), Directions: values(q, "direction"), Availabilities: values(q, "availability"),
		ReadStatuses: values(q, "readStatus"), Conversation: q.Get("conversationId"), Phone: q.Get("phoneNumber"),
		Distinct: q.Get("distinctConversations") == "true",
	}
	var err error
	if f.To, err = instant(q.Get("dateTo"), p.s.now()); err != nil {
		rep := badParameter("dateTo")
		return f, &rep
	}
	if f.From, err = instant(q.Get("dateFrom"), f.To.Add(-defaultFrame)); err != nil {
		rep := badParameter("dateFrom")
		return f, &rep
	}
	return f, nil
}

// values reads a list parameter: repeated, or with commas.
func values(q url.Values, name string) []string {
	var out []string
	for _, v := range q[name] {
		for one := range strings.SplitSeq(v, ",") {
			if one != "" {
				out = append(out, one)
			}
		}
	}
	return out
}

func instant(text string, absent time.Time) (time.Time, error) {
	if text == "" {
		return absent, nil
	}
	return time.Parse(time.RFC3339, text)
}

// takes judges all but the times and the availability.
func (f *messageFilter) takes(m *message) bool {
	among := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	if f.Phone != "" && m.from.PhoneNumber != f.Phone &&
		!slices.ContainsFunc(m.to, func(t Party) bool { return t.PhoneNumber == f.Phone }) {
		return false
	}
	return f.owned(m) && among(f.Types, m.kind) && among(f.Directions, m.direction) && among(f.ReadStatuses, m.read) &&
		(f.Conversation == "" || f.Conversation == strconv.FormatInt(m.conversation, 10))
}

// find returns the messages of a frame, newest first. Deleted and purged ones show only where they are asked for.
func (p *Platform) find(f messageFilter, lag bool) []*message {
	availabilities := f.Availabilities
	if len(availabilities) == 0 {
		availabilities = []string{AvailabilityAlive}
	}
	now, seen := p.s.now(), map[int64]bool{}
	return slices.DeleteFunc(p.store.createdBetween(f.From, f.To), func(m *message) bool {
		if lag && m.visibleAt.After(now) || !slices.Contains(availabilities, m.availability) || !f.takes(m) {
			return true
		}
		again := f.Distinct && seen[m.conversation]
		seen[m.conversation] = true
		return again
	})
}

// listMessages is GET …/message-store.
func (p *Platform) listMessages(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, refused := p.readFilter(c)
	if refused != nil {
		return *refused
	}
	found := p.find(f, true)
	base := baseOf(c.r)
	return p.page(c, len(found), func(i int) any { return p.view(found[i], base) })
}

// page is one page of a list by number, in the envelope of the REST API.
func (p *Platform) page(c *call, total int, row func(int) any) reply {
	page, err := number(c.params.get("page"), 1)
	if err != nil || page < 1 {
		return badParameter("page")
	}
	per, err := number(c.params.get("perPage"), defaultPerPage)
	if err != nil || per < 1 {
		return badParameter("perPage")
	}
	per = min(per, maxPerPage)
	from := min(total, saturated(page-1, per))
	to := min(total, from+per)
	records := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		records = append(records, row(i))
	}
	pages := (total + per - 1) / per
	paging := map[string]int{"page": page, "perPage": per, "pageStart": from, "pageEnd": max(from, to-1)}
	if !p.cfg.NoTotals {
		paging["totalPages"], paging["totalElements"] = pages, total
	}
	link := func(n int) any { return map[string]string{"uri": pageURI(c.r, n, per)} }
	navigation := map[string]any{"firstPage": link(1), "lastPage": link(max(1, pages))}
	if page < pages {
		navigation["nextPage"] = link(page + 1)
	}
	if page > 1 {
		navigation["previousPage"] = link(page - 1)
	}
	return ok(map[string]any{
		"uri": pageURI(c.r, page, per), "records": records, "paging": paging, "navigation": navigation,
	})
}

// saturated multiplies without going over.
func saturated(a, b int) int {
	if a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}

// pageURI is a page's address, with the user's ids in place of "~".
func pageURI(r *http.Request, page, per int) string {
	q := r.URL.Query()
	q.Set("page", strconv.Itoa(page))
	q.Set("perPage", strconv.Itoa(per))
	return baseOf(r) + expand(r.URL.Path) + "?" + q.Encode()
}

// expand puts the user's ids in place of "~".
func expand(path string) string {
	path = strings.Replace(path, "/account/~", "/account/"+AccountID, 1)
	return strings.Replace(path, "/extension/~", "/extension/"+ExtensionID, 1)
}

// lookUp finds the message of the path. A purged one is not found.
func (p *Platform) lookUp(c *call) (*message, bool) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	m := p.store.byID[id]
	return m, err == nil && m != nil && m.availability != AvailabilityPurged
}

// getMessage is GET …/message-store/{id}. A deleted one is shown, as such.
func (p *Platform) getMessage(c *call) reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, found := p.lookUp(c)
	if !found {
		return missing("messageId")
	}
	return ok(p.view(m, baseOf(c.r)))
}

// Messages returns all messages there ever were since the start, oldest first, whatever became of them.
func (p *Platform) Messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Message, len(p.store.byCreated))
	for i, m := range p.store.byCreated {
		out[i] = p.view(m, "")
	}
	return out
}

// Message returns one message, or ErrNotFound.
func (p *Platform) Message(id int64) (Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.store.byID[id]
	if m == nil {
		return Message{}, ErrNotFound
	}
	return p.view(m, ""), nil
}

// Disasters returns how many requests deleted all messages: a DELETE without an id.
func (p *Platform) Disasters() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.store.disasters
}

// listNumbers is GET …/phone-number.
func (p *Platform) listNumbers(c *call) reply {
	usage, status := values(c.params.values, "usageType"), c.params.get("status")
	var found []map[string]any
	for i, n := range p.cfg.Numbers {
		if len(usage) > 0 && !slices.Contains(usage, n.UsageType) || cmp.Or(status, n.Status) != n.Status {
			continue
		}
		row := map[string]any{
			"id": firstSerial - 4*int64(i+1), "phoneNumber": n.PhoneNumber, "paymentType": n.PaymentType, "type": n.Type,
			"usageType": n.UsageType, "status": n.Status, "features": n.Features,
			"country": map[string]string{
				"uri": fmt.Sprintf("%s/restapi/v1.0/dictionary/country/1", baseOf(c.r)), "id": "1", "name": "United States",
			},
		}
		if n.Extension != "" {
			row["extension"] = map[string]string{"id": n.Extension, "type": extensionQueue}
		}
		found = append(found, row)
	}
	return p.page(c, len(found), func(i int) any { return found[i] })
}
