package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const contentsPath = "/contents"

// Order is the direction of a list of contents by created_at, which is the date on the source and not that of the import: a
// late import lands deep in the list.
type Order string

// The orders the API knows.
const (
	OrderAsc  Order = "asc"
	OrderDesc Order = "desc"
)

// ContentsQuery says which contents to list.
type ContentsQuery struct {
	// Q is a search in the API's language, keywords separated by spaces; build it of Keyword. Known are id, intervention, identity,
	// identity_group, source, status_in, thread and text; a repeated one means "or". There is none for dates or for what is replied to.
	Q string
	// Order goes into the search as its keyword "order". Empty = the API's default, newest first.
	Order Order
	// Offset and Limit choose the page; a Limit of 0 is the API's default of 30, MaxPage its greatest.
	Offset, Limit int
}

// Keyword returns name:"value" for a search. Quotes and backslashes have no escape in the language and are left out.
func Keyword(name, value string) string {
	return name + `:"` + strings.NewReplacer(`"`, "", `\`, "").Replace(value) + `"`
}

// Contents lists contents. A search may lag behind what was created a moment ago.
func (e *Engage) Contents(ctx context.Context, q ContentsQuery) (Page, error) {
	query := url.Values{}
	search := q.Q
	if q.Order != "" {
		search = strings.TrimSpace(search + " order:created_at." + string(q.Order))
	}
	if search != "" {
		query.Set("q", search)
	}
	window(query, q.Offset, q.Limit)
	var page Page
	err := e.c.do(ctx, call{
		op: opContents, method: http.MethodGet, path: contentsPath, query: query, priority: Poll,
		texts: []string{q.Q}, read: readPage(&page),
	})
	return page, err
}

// Content returns one content as received. A missing one is an *Error of status 404, as is one that the token may not read.
func (e *Engage) Content(ctx context.Context, id string) (json.RawMessage, error) {
	return e.resource(ctx, opContent, contentsPath, id)
}

// resource gets one resource of a collection by its id.
func (e *Engage) resource(ctx context.Context, op, collection, id string) (json.RawMessage, error) {
	path, err := resourcePath(op, collection, id)
	if err != nil {
		return nil, err
	}
	var resource json.RawMessage
	err = e.c.do(ctx, call{
		op: op, method: http.MethodGet, path: path, priority: Poll, read: readResource(&resource),
	})
	return resource, err
}
