package sandbox

import (
	"html"
	"strings"
	"time"
)

// Statuses of a content, as the API spells them.
const (
	StatusNew           = "new"
	StatusAssigned      = "assigned" // under an intervention
	StatusReplied       = "replied"
	StatusIgnored       = "ignored"
	StatusForwarded     = "forwarded"
	StatusUserReply     = "user_reply"     // the brand's reply
	StatusUserInitiated = "user_initiated" // the brand began
)

// Values of created_from and synchronization_status.
const (
	CreatedFromSynchronizer = "synchronizer"
	CreatedFromInterface    = "interface"
	CreatedFromAPI          = "api"

	ExportPending = "export_pending"
	ExportSuccess = "success"
	ExportFailure = "export_failure"
)

// Content is a content as GET /1.0/contents/{id} shows it. Times are in seconds: the API tells no more.
type Content struct {
	ID                    string         `json:"id"`
	SourceID              string         `json:"source_id"`
	SourceURL             Optional       `json:"source_url"`
	SourceType            string         `json:"source_type"`
	ThreadID              string         `json:"thread_id"`
	AuthorID              string         `json:"author_id"`
	CreatorID             Optional       `json:"creator_id"`
	ForeignID             Optional       `json:"foreign_id"`
	ForeignCategories     []string       `json:"foreign_categories"`
	Type                  string         `json:"type"`
	CreatedFrom           string         `json:"created_from"`
	PrivateMessage        bool           `json:"private_message"`
	Status                string         `json:"status"`
	InterventionID        Optional       `json:"intervention_id"`
	InReplyToID           Optional       `json:"in_reply_to_id"`
	InReplyToAuthorID     Optional       `json:"in_reply_to_author_id"`
	Language              string         `json:"language"`
	Body                  Optional       `json:"body"`
	BodyFormatted         Formatted      `json:"body_formatted"`
	BodyInputFormat       string         `json:"body_input_format"`
	Title                 string         `json:"title,omitempty"`
	AttachmentsCount      int            `json:"attachments_count"`
	Attachments           []Attachment   `json:"attachments"`
	SynchronizationStatus string         `json:"synchronization_status"`
	SynchronizationError  Optional       `json:"synchronization_error"`
	CategoryIDs           []string       `json:"category_ids"`
	ContextData           map[string]any `json:"context_data,omitempty"`
	StructuredContent     any            `json:"structured_content,omitempty"`
	AutoSubmitted         bool           `json:"auto_submitted"`
	FirstInThread         bool           `json:"first_in_thread"`
	CreatedAt             time.Time      `json:"created_at"`
	UpdatedAt             time.Time      `json:"updated_at"`
	ApprovalRequired      bool           `json:"approval_required"`
	RemotelyDeleted       bool           `json:"remotely_deleted"`
	Published             bool           `json:"published"`
}

// Formatted is a body in both forms, which the API always gives.
type Formatted struct {
	Text string `json:"text"`
	HTML string `json:"html"`
}

// Outbound reports whether the brand wrote the content.
func (c *Content) Outbound() bool {
	return c.Status == StatusUserReply || c.Status == StatusUserInitiated
}

func knownStatus(status string) bool {
	switch status {
	case StatusNew, StatusAssigned, StatusReplied, StatusIgnored, StatusForwarded, StatusUserReply, StatusUserInitiated:
		return true
	}
	return false
}

// setBody sets a body of the given format (text or html) in all its forms.
func (c *Content) setBody(body, format string) {
	c.Body, c.BodyInputFormat = Optional(body), format
	if format == "html" {
		c.BodyFormatted = Formatted{Text: stripTags(body), HTML: body}
		return
	}
	var out strings.Builder
	for i, paragraph := range strings.Split(body, "\n\n") {
		if i > 0 {
			out.WriteString("\n\n")
		}
		out.WriteString("<p>" + html.EscapeString(paragraph) + "</p>")
	}
	c.BodyFormatted = Formatted{Text: body, HTML: out.String()}
}

// stripTags is the plain text of simple HTML: good enough for a simulation.
func stripTags(markup string) string {
	var out strings.Builder
	inTag := false
	for _, r := range markup {
		switch {
		case r == '<':
			inTag = true
		case r == '>':
			inTag = false
		case !inTag:
			out.WriteRune(r)
		}
	}
	return html.UnescapeString(out.String())
}

// seconds cuts a time to what the API tells.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
