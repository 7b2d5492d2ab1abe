package consume

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// clockSkew is how far the API's clock may be behind ours: a content is an
	// effect of a call even if it seems this much older. A clock that is further
	// ahead than this is told by the broker, which takes no record from it.
	clockSkew = time.Hour
	// lookPage is the most that the API gives at once (ringcentral-api: limit).
	lookPage = 150
	// lookPages bounds one look: more contents than this since the call in one
	// conversation, and the look cannot tell.
	lookPages = 10
)

// createContent is a reply, or the start of a discussion. It is not repeatable:
// the customer would be answered twice.
type createContent struct{ ringcentral.CreateContent }

func (c createContent) call(ctx context.Context, api Engage) (string, error) {
	raw, err := api.CreateContent(ctx, c.CreateContent)
	if err != nil {
		return "", err
	}
	var made made
	if err := json.Unmarshal(raw, &made); err != nil || made.ID == "" {
		// It was accepted, but what it made must be found.
		return "", &ringcentral.Error{Op: "create_content", Status: http.StatusOK, Outcome: ringcentral.Unknown, Err: errors.New("the answer holds no content id")}
	}
	return made.ID, nil
}

func (createContent) repeatable() bool { return false }

// twin tells replies apart that the API would show alike.
func (c createContent) twin() string {
	return strings.Join([]string{text(c.InReplyToID), text(c.SourceID), strings.Join(c.To, ","), normal(c.Body)}, "\x00")
}

// made is what a look-up reads of a content (GET /1.0/contents, Content).
type made struct {
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

// find reads the conversation's newest contents back to the first call. A reply
// is searched in its parent's thread, a new discussion on its source, and a reply
// whose parent is not shown (any more) among all contents.
func (c createContent) find(ctx context.Context, api Engage, since time.Time, take func(string) bool) (string, error) {
	query, err := c.query(ctx, api)
	if err != nil {
		return "", err
	}
	since = since.Add(-clockSkew)
	var candidates []string
	for page := range lookPages {
		answer, err := api.Contents(ctx, ringcentral.ContentsQuery{Q: query, Offset: page * lookPage, Limit: lookPage})
		if err != nil {
			return "", err
		}
		for _, raw := range answer.Records {
			var content made
			if err := json.Unmarshal(raw, &content); err != nil {
				return "", fmt.Errorf("%w: a content in the answer cannot be read", errUntellable)
			}
			if content.CreatedAt.Before(since) {
				return first(candidates, take), nil
			}
			if c.matches(content) {
				candidates = append(candidates, content.ID)
			}
		}
		if len(answer.Records) < lookPage {
			return first(candidates, take), nil
		}
	}
	return "", fmt.Errorf("%w: too many contents since the call", errUntellable)
}

func (c createContent) query(ctx context.Context, api Engage) (string, error) {
	parent := text(c.InReplyToID)
	if parent == "" {
		return ringcentral.Keyword("source", text(c.SourceID)) + " " + ringcentral.Keyword("status_in", "user_initiated"), nil
	}
	raw, err := api.Content(ctx, parent)
	var answer *ringcentral.Error
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var content made
	if err := json.Unmarshal(raw, &content); err != nil || content.ThreadID == "" {
		return "", fmt.Errorf("%w: the content that is answered names no thread", errUntellable)
	}
	return ringcentral.Keyword("thread", content.ThreadID), nil
}

// first takes the oldest candidate that no other command has. Candidates come
// newest first.
func first(candidates []string, take func(string) bool) string {
	for _, candidate := range slices.Backward(candidates) {
		if take(candidate) {
			return candidate
		}
	}
	return ""
}

// matches tells whether a content may be the effect of this call: made through
// the API, as an answer to the same content, with the same text.
func (c createContent) matches(content made) bool {
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

var tags = regexp.MustCompile(`<[^>]*>`)

// normal is a text without what the API may change in it: markup and spacing.
func normal(body string) string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
}
