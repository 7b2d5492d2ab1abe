package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// leastBodyLimit is the smallest limit of any channel. A longer body is held
	// against its own channel's, which takes a call to find out.
	leastBodyLimit = 280
	// socialPage is how many contents a look-up reads at once.
	socialPage = 100
)

// socialContent is a content created with Social or Advanced Messaging.
type socialContent struct {
	createContent
	api Social
}

// social checks what this API has no parameter for: it would be another message.
func (c createContent) social(api Social) (action, error) {
	switch {
	case len(c.StructuredContent) > 0:
		return nil, errors.New("api SOCIAL takes no structured_content")
	case c.BodyFormat == "html":
		return nil, errors.New("api SOCIAL takes no HTML: want body_format TEXT")
	}
	return socialContent{c, api}, nil
}

func (socialContent) flavour() flavour { return flavourSocial }

func (c socialContent) call(ctx context.Context) (string, error) {
	if err := c.fits(ctx); err != nil {
		return "", err
	}
	raw, err := c.api.CreateContent(ctx, c.CreateContent)
	return madeBy("create_content", raw, err)
}

// socialMade is what is read of a content, in the names of both generations. The
// keys of bodyFormatted come in either case.
type socialMade struct {
	ID                 string                `json:"id"`
	ThreadID           string                `json:"threadId"`
	InReplyToContentID *string               `json:"inReplyToContentId"`
	ChannelType        string                `json:"channelType"`
	SourceType         string                `json:"sourceType"`
	CreatedFrom        string                `json:"createdFrom"`
	Body               string                `json:"body"`
	BodyFormatted      map[string]string     `json:"bodyFormatted"`
	CreationTime       ringcentral.Timestamp `json:"creationTime"`
}

// fits refuses a body that is longer than its channel takes. Where the channel
// does not show, the API is left to judge.
func (c socialContent) fits(ctx context.Context) error {
	if utf8.RuneCountInString(c.Body) <= leastBodyLimit {
		return nil
	}
	channel, err := c.channel(ctx)
	switch {
	case isStatus(err, http.StatusNotFound), isStatus(err, http.StatusForbidden), errors.Is(err, ringcentral.ErrFilterIgnored):
		return nil
	case err != nil:
		return unsent(err)
	}
	if limit, known := ringcentral.BodyLimit(channel); known && ringcentral.BodyTooLong(channel, c.Body) {
		return &ringcentral.Error{Op: "create_content", Outcome: ringcentral.NotSent, Err: fmt.Errorf(
			"%w: the body has %d characters, and the channel (%s) takes %d", ringcentral.ErrInvalid, utf8.RuneCountInString(c.Body), channel, limit)}
	}
	return nil
}

// channel returns the type of the channel that the content goes to: of what it
// answers, or of anything that was said there; "" = not known.
func (c socialContent) channel(ctx context.Context) (string, error) {
	var shown socialMade
	if parent := text(c.InReplyToID); parent != "" {
		raw, err := c.api.Content(ctx, parent)
		if err != nil {
			return "", err
		}
		_ = json.Unmarshal(raw, &shown) // what cannot be read does not show it
		return shown.ChannelType + shown.SourceType, nil
	}
	page, err := c.api.Contents(ctx, ringcentral.SocialQuery{ChannelIDs: []string{text(c.SourceID)}, PerPage: 1})
	if err != nil || len(page.Records) == 0 {
		return "", err
	}
	_ = json.Unmarshal(page.Records[0], &shown)
	return shown.ChannelType + shown.SourceType, nil
}

// find reads the newest outgoing contents back to the first call: of the thread
// that is answered, of the channel, or all, if the parent is not shown any more.
func (c socialContent) find(ctx context.Context, since time.Time, take func(string) bool) (string, bool, error) {
	query, err := c.query(ctx)
	if err != nil {
		return "", false, err
	}
	bound := since.Add(-clockSkew)
	var candidates []string
	var oldest time.Time
	for range lookPages {
		page, err := c.api.Contents(ctx, query)
		if errors.Is(err, ringcentral.ErrFilterIgnored) {
			return "", false, fmt.Errorf("%w: %w", errUntellable, err)
		}
		if err != nil {
			return "", false, err
		}
		var matching []string
		if matching, oldest, err = c.matching(page.Records, bound); err != nil {
			return "", false, err
		}
		candidates = append(candidates, matching...)
		if !oldest.IsZero() && oldest.Before(bound) || page.Next == "" {
			return c.choose(candidates, take)
		}
		query.PageToken = page.Next
	}
	if reachesBack(oldest, since) {
		return c.choose(candidates, take)
	}
	return "", false, fmt.Errorf("%w: too many contents since the call", errUntellable)
}

// choose takes the candidate. One whose text does not show (a template's) cannot
// be told from another such.
func (c socialContent) choose(candidates []string, take func(string) bool) (string, bool, error) {
	resource, found := first(candidates, take)
	if found && c.bodiless() {
		return "", false, errUnsure
	}
	return resource, found, nil
}

// bodiless tells whether the content will show no body to compare.
func (c socialContent) bodiless() bool { return text(c.TemplateName) != "" || normal(c.Body) == "" }

func (c socialContent) query(ctx context.Context) (ringcentral.SocialQuery, error) {
	query := ringcentral.SocialQuery{Direction: ringcentral.Outgoing, OrderBy: ringcentral.NewestCreated, PerPage: socialPage}
	parent := text(c.InReplyToID)
	if parent == "" {
		query.ChannelIDs = []string{text(c.SourceID)}
		return query, nil
	}
	raw, err := c.api.Content(ctx, parent)
	if isStatus(err, http.StatusNotFound) {
		return query, nil
	}
	if err != nil {
		return query, err
	}
	var content socialMade
	if err := json.Unmarshal(raw, &content); err != nil || content.ThreadID == "" {
		return query, fmt.Errorf("%w: the content that is answered names no thread", errUntellable)
	}
	query.ThreadIDs = []string{content.ThreadID}
	return query, nil
}

// matching returns the ids of the contents that may be the effect, up to the
// first that is older than since, and when the oldest that it looked at was made.
func (c socialContent) matching(records []json.RawMessage, since time.Time) (ids []string, oldest time.Time, err error) {
	for _, raw := range records {
		var content socialMade
		if err := json.Unmarshal(raw, &content); err != nil || content.ID == "" {
			return nil, oldest, fmt.Errorf("%w: a content in the answer cannot be read", errUntellable)
		}
		if at := content.CreationTime.Time; !at.IsZero() {
			if oldest = at; at.Before(since) {
				break
			}
		}
		if c.matches(content) {
			ids = append(ids, content.ID)
		}
	}
	return ids, oldest, nil
}

// matches tells whether a content may be the effect of this call: made through
// the API, as an answer to the same content, with the same text.
func (c socialContent) matches(content socialMade) bool {
	switch {
	case content.CreatedFrom != "" && !strings.EqualFold(content.CreatedFrom, "api"):
		return false
	case text(content.InReplyToContentID) != text(c.InReplyToID):
		return false
	case c.bodiless():
		return true
	}
	want := normal(c.Body)
	if normal(content.Body) == want {
		return true
	}
	for _, body := range content.BodyFormatted {
		if normal(body) == want {
			return true
		}
	}
	return false
}
