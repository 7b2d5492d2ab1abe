package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// MaxSocialPage is the greatest PerPage; the API takes more for this, and for none at all 100 (Advanced Messaging: 30).
const MaxSocialPage = 1000

// OrderBy is the order of a list of Social Messaging: a time, and a sign. By modification, newest or oldest first, changes are seen as
// well as new rows; a late import has an old creationTime, as that is the time on the source.
type OrderBy string

// The orders the API knows.
const (
	NewestModified OrderBy = "-lastModifiedTime"
	OldestModified OrderBy = "+lastModifiedTime"
	NewestCreated  OrderBy = "-creationTime" // the default
	OldestCreated  OrderBy = "+creationTime"
)

// SocialQuery says which contents to list. All filters hold at once; nil ones are not sent. An empty string in one is refused, as the
// API ignores an empty filter and answers with everything.
type SocialQuery struct {
	ThreadIDs, ChannelIDs, InterventionIDs, AuthorIDs, AuthorGroupIDs []string
	// Status takes New, Assigned, Replied, UserReply, UserInitiated and Ignored.
	Status []string
	// Direction is Incoming or Outgoing. Advanced Messaging has no such filter: there it becomes the statuses of that direction.
	Direction string
	// Text is searched in the body, all of them.
	Text []string
	// OrderBy is an order; empty = NewestCreated.
	OrderBy OrderBy
	// PageToken continues a list: the Next of the page before, with the same query otherwise.
	PageToken string
	// PerPage is the size of the page; 0 leaves it to the API.
	PerPage int
}

// SocialPage is one page of a list, by keyset: rows that come or go shift nothing. There is no total.
type SocialPage struct {
	// Records are the rows as received, null and what is no object included. Never nil.
	Records []json.RawMessage
	// Next and Previous are page tokens; empty where there is no such page. A token may lead to a page that was read before: whoever
	// follows tokens must notice that.
	Next, Previous string
	// PerPage is the size that the API uses.
	PerPage int
}

// Contents lists contents. What comes back is held against the filters and the order: if the API ignored one, the error is
// ErrFilterIgnored. If it refuses the order, the error is ErrOrderRefused.
func (p *Platform) Contents(ctx context.Context, q SocialQuery) (SocialPage, error) {
	query, err := p.names.contents(q)
	if err != nil {
		return SocialPage{}, err
	}
	var page SocialPage
	err = p.social(ctx, call{
		op: opContents, method: http.MethodGet, path: contentsPath, query: query, priority: Poll, texts: q.Text, sentinel: orderRefused(q.OrderBy),
		read: readSocialPage(&page, p.names.checkContents(q)),
	})
	return page, err
}

// Content returns one content as received. A missing one is an *Error of status 404.
func (p *Platform) Content(ctx context.Context, id string) (json.RawMessage, error) {
	return p.socialResource(ctx, opContent, contentsPath, id)
}

// SocialIdentitiesQuery says which identities to list, by the same rules.
type SocialIdentitiesQuery struct {
	ChannelID, UserID, UUID string
	GroupIDs                []string
	// Type is Agent or Customer.
	Type      string
	OrderBy   OrderBy
	PageToken string
	PerPage   int
}

// Identities lists identities.
func (p *Platform) Identities(ctx context.Context, q SocialIdentitiesQuery) (SocialPage, error) {
	query, err := p.names.identities(q)
	if err != nil {
		return SocialPage{}, err
	}
	var page SocialPage
	err = p.social(ctx, call{
		op: opIdentities, method: http.MethodGet, path: identitiesPath, query: query, priority: Poll, sentinel: orderRefused(q.OrderBy),
		read: readSocialPage(&page, checkIdentities(q)),
	})
	return page, err
}

// Identity returns one identity as received.
func (p *Platform) Identity(ctx context.Context, id string) (json.RawMessage, error) {
	return p.socialResource(ctx, opIdentity, identitiesPath, id)
}

func (p *Platform) socialResource(ctx context.Context, op, collection, id string) (json.RawMessage, error) {
	path, err := resourcePath(op, collection, id)
	if err != nil {
		return nil, err
	}
	var resource json.RawMessage
	err = p.social(ctx, call{op: op, method: http.MethodGet, path: path, priority: Poll, read: readResource(&resource)})
	return resource, err
}

// social makes a call of the contents API.
func (p *Platform) social(ctx context.Context, k call) error {
	if p.contentsPath == "" {
		return invalid(k.op, "RINGCENTRAL_CONTENTS_PATH is off")
	}
	k.path = p.contentsPath + k.path
	return p.c.do(ctx, k)
}

// paging puts what all lists take into query.
func paging(query url.Values, order OrderBy, token string, perPage int) {
	for name, value := range map[string]string{"orderBy": string(order), "pageToken": token} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if perPage > 0 {
		query.Set("perPage", strconv.Itoa(min(perPage, MaxSocialPage)))
	}
}

// orderRefused recognizes that a list refuses the order that was asked for: by the parameter that the answer names, or by the codes of
// Social Messaging for an invalid search (EDI-028), an inefficient sort (EDI-036) and an invalid order (EDI-038).
func orderRefused(asked OrderBy) func(int, explanation) error {
	return func(status int, e explanation) error {
		if asked == "" || outcomeOf(status) != Refused {
			return nil
		}
		for _, f := range e.faults {
			if f.parameter == "orderBy" || slices.Contains([]string{"EDI-028", "EDI-036", "EDI-038"}, f.code) {
				return ErrOrderRefused
			}
		}
		return nil
	}
}

// readSocialPage decodes the envelope of a keyset list.
func readSocialPage(page *SocialPage, check func([]json.RawMessage) error) func([]byte) error {
	return func(body []byte) error {
		e, err := readEnvelope(body)
		if err != nil {
			return err
		}
		records, err := e.records("paging")
		if err != nil {
			return err
		}
		if err := check(records); err != nil {
			return err
		}
		paging := e.object("paging")
		perPage, _ := paging.number("perPage")
		*page = SocialPage{
			Records: records, PerPage: perPage, Next: paging.text("nextPageToken"), Previous: paging.text("previousPageToken"),
		}
		return nil
	}
}

// emptyFilter reports whether one of the lists has an empty value.
func emptyFilter(lists ...[]string) bool {
	return slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, "") })
}
