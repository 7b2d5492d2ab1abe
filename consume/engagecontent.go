package consume

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// engageContent is a content created with Engage Digital.
type engageContent struct {
	createContent
	api Engage
}

func (engageContent) flavour() flavour { return flavourEngage }

func (c engageContent) call(ctx context.Context) (string, error) {
	raw, err := c.api.CreateContent(ctx, c.CreateContent)
	return madeBy("create_content", raw, err)
}

// engageMade is what a look-up reads of a content (GET /1.0/contents, Content).
type engageMade struct {
	ID            string  `json:"id"`
	ThreadID      string  `json:"thread_id"`
	InReplyToID   *string `json:"in_reply_to_id"`
	CreatedFrom   string  `json:"created_from"`
	Body          *string `json:"body"`
	BodyFormatted struct {
		Text string `json:"text"`
		HTML string `json:"html"`
	} `json:"body_formatted"`
	CreatedAt time.Time `json:"created_at"`
}

func (c engageContent) find(ctx context.Context, since time.Time, take func(string) bool) (string, bool, error) {
	candidates, err := c.candidates(ctx, since)
	if err != nil {
		return "", false, err
	}
	resource, found := first(candidates, take)
	return resource, found, nil
}

// candidates reads the conversation's contents, newest first, back to the first call. A reply is searched in its parent's thread, a new
// discussion on its source, and a reply whose parent is not shown (any more) among all contents.
func (c engageContent) candidates(ctx context.Context, since time.Time) (ids []string, err error) {
	query, err := c.query(ctx)
	if err != nil {
		return nil, err
	}
	bound := since.Add(-clockSkew)
	var oldest time.Time
	for page := range lookPages {
		answer, err := c.api.Contents(ctx, ringcentral.ContentsQuery{Q: query, Offset: page * ringcentral.MaxPage, Limit: ringcentral.MaxPage})
		if err != nil {
			return nil, err
		}
		for _, raw := range answer.Records {
			var content engageMade
			if err := json.Unmarshal(raw, &content); err != nil {
				return nil, fmt.Errorf("%w: a content in the answer cannot be read", errUntellable)
			}
			oldest = content.CreatedAt
			if oldest.Before(bound) {
				return ids, nil
			}
			if c.matches(content) {
				ids = append(ids, content.ID)
			}
		}
		if len(answer.Records) < ringcentral.MaxPage {
			return ids, nil
		}
	}
	if reachesBack(oldest, since) {
		return ids, nil
	}
	return nil, fmt.Errorf("%w: too many contents since the call", errUntellable)
}

func (c engageContent) query(ctx context.Context) (string, error) {
	parent := text(c.InReplyToID)
	if parent == "" {
		return ringcentral.Keyword("source", text(c.SourceID)) + " " + ringcentral.Keyword("status_in", "user_initiated"), nil
	}
	raw, err := c.api.Content(ctx, parent)
	if isStatus(err, http.StatusNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var content engageMade
	if err := json.Unmarshal(raw, &content); err != nil || content.ThreadID == "" {
		return "", fmt.Errorf("%w: the content that is answered names no thread", errUntellable)
	}
	return ringcentral.Keyword("thread", content.ThreadID), nil
}

// matches tells whether a content may be the effect of this call: made through
// the API, as an answer to the same content, with the same text.
func (c engageContent) matches(content engageMade) bool {
	if content.CreatedFrom != "" && content.CreatedFrom != "api" {
		return false
	}
	if text(content.InReplyToID) != text(c.InReplyToID) {
		return false
	}
	want := normal(c.Body)
	for _, body := range []string{text(content.Body), content.BodyFormatted.Text, content.BodyFormatted.HTML} {
		if normal(body) == want {
			return true
		}
	}
	return false
}
