package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

const identitiesPath = "/identities"

// IdentitiesQuery says which identities to list.
type IdentitiesQuery struct {
	// Sort is created_at or updated_at, newest first. Empty = the API's default.
	Sort string
	// Offset and Limit choose the page, as for contents.
	Offset, Limit int
}

// Identities lists identities.
func (e *Engage) Identities(ctx context.Context, q IdentitiesQuery) (Page, error) {
	query := url.Values{}
	if q.Sort != "" {
		query.Set("sort", q.Sort)
	}
	window(query, q.Offset, q.Limit)
	var page Page
	err := e.c.do(ctx, call{
		op: opIdentities, method: http.MethodGet, path: identitiesPath, query: query, priority: Poll,
		read: readPage(&page),
	})
	return page, err
}

// Identity returns one identity as received. A missing one is an *Error of status 404, as is one that the token may not read.
func (e *Engage) Identity(ctx context.Context, id string) (json.RawMessage, error) {
	return e.resource(ctx, opIdentity, identitiesPath, id)
}
