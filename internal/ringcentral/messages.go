package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// messagesPath is the user's message store. Without an id behind it, a DELETE empties it.
const messagesPath = extensionPath + "/message-store"

// apiTime is how times go into a query: in UTC, with milliseconds.
const apiTime = "2006-01-02T15:04:05.000Z"

// MessagesQuery says which messages to list; what is zero is not sent.
type MessagesQuery struct {
	// Types, Directions, Availability and ReadStatus take the API's words, for example SMS, Outbound, Alive, Unread. Without Availability
	// deleted messages are hidden.
	Types, Directions, Availability, ReadStatus []string
	// From and To bound the creation; the API's defaults are a day before To, and now.
	From, To time.Time
	// PhoneNumber is one side of the message.
	PhoneNumber, ConversationID string
	// PerPage is the size of a page; 0 leaves it to the API (100).
	PerPage int
	// Next continues a list: the Next of the page before, with the same query otherwise.
	Next string
}

// MessagePage is one page of messages, newest first. Set To when walking: else what arrives meanwhile shifts rows onto the next page,
// where they repeat.
type MessagePage struct {
	// Records are the rows as received. Never nil. Their ids are numbers, beyond what a float64 holds.
	Records []json.RawMessage
	// Next is to be given back with the query; empty on the last page. Totals are not told: those of the API may be missing or wrong.
	Next string
}

// Messages lists messages of the store. If the next page is not behind this one, the error is ErrSamePage and the page holds its rows.
func (p *Platform) Messages(ctx context.Context, q MessagesQuery) (MessagePage, error) {
	query := q.values()
	var page MessagePage
	err := p.c.do(ctx, call{
		op: opMessages, method: http.MethodGet, path: messagesPath, query: query, priority: Poll,
		texts: []string{q.PhoneNumber}, read: readMessagePage(&page, query),
	})
	return page, err
}

func (q MessagesQuery) values() url.Values {
	query := url.Values{}
	for name, values := range map[string][]string{
		"messageType": q.Types, "direction": q.Directions, "availability": q.Availability, "readStatus": q.ReadStatus,
	} {
		if len(values) > 0 {
			query[name] = values
		}
	}
	for name, value := range map[string]string{"phoneNumber": q.PhoneNumber, "conversationId": q.ConversationID, "page": q.Next} {
		if value != "" {
			query.Set(name, value)
		}
	}
	between(query, q.From, q.To)
	if q.PerPage > 0 {
		query.Set("perPage", strconv.Itoa(q.PerPage))
	}
	return query
}

// between puts the bounds that are set into query.
func between(query url.Values, from, to time.Time) {
	for name, at := range map[string]time.Time{"dateFrom": from, "dateTo": to} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(apiTime))
		}
	}
}

// readMessagePage decodes a page of a list by page numbers.
func readMessagePage(page *MessagePage, asked url.Values) func([]byte) error {
	return func(body []byte) error {
		e, err := readEnvelope(body)
		if err != nil {
			return err
		}
		records, err := e.records("paging", "navigation")
		if err != nil {
			return err
		}
		number, _ := strconv.Atoi(asked.Get("page"))
		number = max(number, 1)
		next := nextPage(e, number, len(records))
		*page = MessagePage{Records: records}
		switch {
		case next == 0:
		case next <= number:
			return ErrSamePage
		default:
			page.Next = strconv.Itoa(next)
		}
		return nil
	}
}

// nextPage returns the number of the page after this one, 0 for none. Of its address only the page is taken: the token goes where it
// was configured to go, and the filters are ours.
func nextPage(e envelope, number, rows int) int {
	if rows == 0 {
		return 0
	}
	navigation, shown := e.field("navigation")
	if !shown {
		if perPage, ok := e.object("paging").number("perPage"); ok && perPage > 0 && rows >= perPage {
			return number + 1
		}
		return 0
	}
	var n envelope
	_ = json.Unmarshal(navigation, &n) // of another shape: it names no next page
	next, ok := n.field("nextPage")
	if !ok {
		return 0
	}
	uri := n.object("nextPage").text("uri")
	if uri == "" {
		_ = json.Unmarshal(next, &uri) // the address itself
	}
	return pageOf(uri, number+1)
}

// pageOf returns the number of the page that uri asks for.
func pageOf(uri string, otherwise int) int {
	u, err := url.Parse(uri)
	if err != nil {
		return otherwise
	}
	n, err := strconv.Atoi(u.Query().Get("page"))
	if err != nil {
		return otherwise
	}
	return n
}

// Message returns one message as received. A missing one is an *Error of status 404.
func (p *Platform) Message(ctx context.Context, id string) (json.RawMessage, error) {
	path, err := messagePath(opMessage, id)
	if err != nil {
		return nil, err
	}
	return p.get(ctx, opMessage, path)
}

// messagePath is the path of one message. Only digits are taken: a list of ids would be answered in another shape, and none at all
// would be the whole store.
func messagePath(op, id string) (string, error) {
	if id == "" || !allDigits(id) {
		return "", invalid(op, "a message id is digits")
	}
	return messagesPath + "/" + id, nil
}

// MessageChange is what to change in a message.
type MessageChange struct {
	// ReadStatus is Read or Unread in any case; empty leaves it.
	ReadStatus string
	// Restore takes a deleted message back. A purged one is gone.
	Restore bool
}

// UpdateMessage changes a message and returns it as received. It may be repeated.
func (p *Platform) UpdateMessage(ctx context.Context, id string, change MessageChange) (json.RawMessage, error) {
	k := call{op: opUpdateMessage, method: http.MethodPut, contentType: "application/json", priority: Reply}
	fields := map[string]string{}
	if status := strings.ToLower(change.ReadStatus); status != "" {
		if !slices.Contains([]string{"read", "unread"}, status) {
			return nil, invalid(k.op, "a read status is Read or Unread")
		}
		fields["readStatus"] = strings.ToUpper(status[:1]) + status[1:]
	}
	if change.Restore {
		// Only PATCH knows the availability; PUT would not say that it ignored it.
		k.op, k.method = opRestore, http.MethodPatch
		fields["availability"] = "Alive"
	}
	var err error
	if k.path, err = messagePath(k.op, id); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, invalid(k.op, "nothing to change")
	}
	k.body, _ = json.Marshal(fields) // strings always can be
	var changed json.RawMessage
	k.read = readResource(&changed)
	err = p.c.do(ctx, k)
	return changed, err
}

// DeleteMessage deletes a message; deleted again, or with purge, it is gone for good. So it must not be repeated blindly: read the
// message first. Without an id it is refused before any request, as the API would delete everything.
func (p *Platform) DeleteMessage(ctx context.Context, id string, purge bool) error {
	path, err := messagePath(opDeleteMessage, id)
	if err != nil {
		return err
	}
	query := url.Values{}
	if purge {
		query.Set("purge", "true")
	}
	return p.c.do(ctx, call{op: opDeleteMessage, method: http.MethodDelete, path: path, query: query, priority: Reply, read: readNothing})
}
