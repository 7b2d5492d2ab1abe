package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// convergeBound is how long after quiet the newest events may take to show what the APIs show: a
// sweep is made within a minute, and reads the rows of the round.
const convergeBound = 90 * time.Second

// State is what an event or a row shows of a content or message, by field of the event. What is
// null, absent or empty is "": the events' schemas keep no difference for most of them.
type State map[string]string

// converges waits until each content and message has an event that shows what the API shows. That
// some do not is counted.
func (b *bed) converges(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, convergeBound)
	defer cancel()
	err := until(bounded, "convergence", func() bool { return len(b.book.Diverging(b.rows())) == 0 })
	if err != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// rows are what the APIs show of everything, by id.
func (b *bed) rows() map[string]State {
	rows := map[string]State{}
	for _, c := range b.box.Contents() {
		rows[c.ID] = engageState(&c)
	}
	for _, c := range b.box.Platform().Contents() {
		rows[c.ID] = socialState(&c)
	}
	for _, m := range b.box.Platform().Messages() {
		rows[strconv.FormatInt(m.ID, 10)] = storeState(&m)
	}
	return rows
}

// Diverging names what the newest events show otherwise than the rows do, field by field. What has
// no event is missing or lost, and counted as that.
func (b *Book) Diverging(rows map[string]State) (fields []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		event, row := b.states[id], rows[id]
		if event == nil {
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(row)) {
			if event[field] != row[field] {
				fields = append(fields, fmt.Sprintf("%s %s: the event has %q, the API %q", id, field, event[field], row[field]))
			}
		}
	}
	return fields
}

// State notes what the newest event of a content or message shows.
func (b *Book) State(id string, state State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[id] = state
}

// engageState is what a row of Engage Digital shows. Its title is left out where it has none: a
// webhook shows the thread's.
func engageState(c *sandbox.Content) State {
	s := State{
		"source_id": c.SourceID, "source_type": fold(c.SourceType), "thread_id": c.ThreadID, "intervention_id": string(c.InterventionID),
		"in_reply_to_id": string(c.InReplyToID), "in_reply_to_author_id": string(c.InReplyToAuthorID), "author_id": c.AuthorID,
		"creator_id": string(c.CreatorID), "status": fold(c.Status), "type": fold(c.Type), "language": fold(c.Language), "body": string(c.Body),
		"body_format": fold(c.BodyInputFormat), "private": strconv.FormatBool(c.PrivateMessage), "published": strconv.FormatBool(c.Published),
		"remotely_deleted": strconv.FormatBool(c.RemotelyDeleted), "category_ids": set(c.CategoryIDs), "foreign_id": string(c.ForeignID),
		"foreign_categories": set(c.ForeignCategories), "created_from": fold(c.CreatedFrom), "created_at": at(&c.CreatedAt), "updated_at": at(&c.UpdatedAt),
		"synchronization_status": fold(c.SynchronizationStatus), "synchronization_error": string(c.SynchronizationError), "context_data": jsonTexts(c.ContextData),
	}
	if c.Title != "" {
		s["title"] = c.Title
	}
	var files []string
	for _, f := range c.Attachments {
		files = append(files, file(f.ID, f.ContentType, f.Filename, f.Size, f.URL))
	}
	s["attachments"] = set(files)
	return s
}

// socialState is what a row of Social Messaging shows. It has no foreign id.
func socialState(c *sandbox.SocialContent) State {
	s := State{
		"source_id": c.ChannelID, "source_type": fold(c.ChannelType), "thread_id": c.ThreadID, "intervention_id": string(c.InterventionID),
		"in_reply_to_id": string(c.InReplyToContentID), "in_reply_to_author_id": string(c.InReplyToAuthorIdentity), "author_id": c.AuthorIdentityID,
		"creator_id": string(c.CreatorID), "status": fold(c.Status), "type": fold(c.Type), "language": fold(c.Language), "title": c.Title, "body": c.Body,
		"body_format": fold(c.BodyInputFormat), "private": strconv.FormatBool(!c.Public), "published": strconv.FormatBool(c.Published),
		"remotely_deleted": strconv.FormatBool(c.RemotelyDeleted), "category_ids": set(c.CategoryIDs), "foreign_categories": set(c.ForeignCategories),
		"created_from": fold(c.CreatedFrom), "created_at": at(&c.CreationTime), "updated_at": at(&c.LastModifiedTime),
		"synchronization_status": fold(c.SynchronizationStatus), "synchronization_error": string(c.SynchronizationError), "context_data": jsonTexts(c.ContextData),
	}
	var files []string
	for _, f := range c.Attachments {
		files = append(files, file(f.ID, f.ContentType, f.Filename, f.Size, f.URI))
	}
	s["attachments"] = set(files)
	return s
}

// contentState is what an event shows.
func contentState(c *schemas.Content) State {
	s := State{
		"source_id": text(c.SourceID), "source_type": fold(text(c.SourceType)), "thread_id": text(c.ThreadID), "intervention_id": text(c.InterventionID),
		"in_reply_to_id": text(c.InReplyToID), "in_reply_to_author_id": text(c.InReplyToAuthorID), "author_id": text(c.AuthorID),
		"creator_id": text(c.CreatorID), "status": fold(text(c.Status)), "type": fold(text(c.Type)), "language": fold(text(c.Language)),
		"title": text(c.Title), "body": c.Body, "body_format": fold(string(c.BodyFormat)), "private": flag(c.Private), "published": flag(c.Published),
		"remotely_deleted": flag(c.RemotelyDeleted), "category_ids": set(c.CategoryIds), "foreign_id": text(c.ForeignID),
		"foreign_categories": set(c.ForeignCategories), "created_from": fold(text(c.CreatedFrom)), "created_at": at(c.CreatedAt), "updated_at": at(c.UpdatedAt),
		"synchronization_status": fold(text(c.SynchronizationStatus)), "synchronization_error": text(c.SynchronizationError),
		"attachments": filesOf(c.Attachments),
	}
	var data []string
	for name, value := range c.ContextData {
		data = append(data, name+"="+value)
	}
	s["context_data"] = set(data)
	return s
}

// storeState is what a row of the message store shows. Of what is gone a sync shows that alone.
func storeState(m *sandbox.Message) State {
	s := State{"availability": m.Availability}
	if m.Availability != sandbox.AvailabilityAlive {
		return s
	}
	var to, files []string
	for _, p := range m.To {
		to = append(to, p.PhoneNumber+" "+p.Name+" "+p.MessageStatus)
	}
	for _, f := range m.Attachments {
		files = append(files, strconv.FormatInt(f.ID, 10)+" "+f.ContentType) // an address names the host that was asked
	}
	maps.Copy(s, State{
		"conversation_id": strconv.FormatInt(m.ConversationID, 10), "extension_id": sandbox.ExtensionID, "direction": fold(m.Direction), "type": fold(m.Type),
		"from": m.From.PhoneNumber + " " + m.From.Name, "to": set(to), "text": m.Subject, "status": m.MessageStatus, "read_status": fold(m.ReadStatus),
		"attachments": set(files), "delivery_error_code": m.DeliveryErrorCode,
		"created_at": at(&m.CreationTime.Time), "updated_at": at(&m.LastModifiedTime.Time),
	})
	return s
}

// messageState is what an event shows. A notification has the milliseconds of a creation, the
// store does not.
func messageState(m *schemas.Message) State {
	var to, files []string
	for _, p := range m.To {
		to = append(to, text(p.PhoneNumber)+" "+text(p.Name)+" "+text(p.Status))
	}
	for _, f := range m.Attachments {
		files = append(files, f.ID+" "+text(f.ContentType))
	}
	s := State{
		"conversation_id": text(m.ConversationID), "extension_id": text(m.ExtensionID), "direction": fold(string(m.Direction)), "type": fold(text(m.Type)),
		"to": set(to), "text": m.Text, "status": text(m.Status), "read_status": fold(text(m.ReadStatus)), "availability": text(m.Availability),
		"attachments": set(files), "delivery_error_code": text(m.DeliveryErrorCode), "updated_at": at(m.UpdatedAt),
	}
	if m.From != nil {
		s["from"] = text(m.From.PhoneNumber) + " " + text(m.From.Name)
	}
	if m.CreatedAt != nil {
		s["created_at"] = at(new(m.CreatedAt.Truncate(time.Second)))
	}
	return s
}

// fold writes names of both spellings alike: UserReply and user_reply.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func flag(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

// at is a time to the millisecond.
func at(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// set is a list without its order.
func set(values []string) string {
	return strings.Join(slices.Sorted(slices.Values(values)), ", ")
}

func file(id, contentType, name string, size int, url string) string {
	return fmt.Sprintf("%s %s %s %d %s", id, contentType, name, size, url)
}

func filesOf(all []schemas.Attachment) string {
	var files []string
	for _, f := range all {
		size := -1
		if f.Size != nil {
			size = int(*f.Size)
		}
		files = append(files, file(f.ID, text(f.ContentType), text(f.Filename), size, text(f.URL)))
	}
	return set(files)
}

// jsonTexts are custom fields as events have them.
func jsonTexts(data map[string]any) string {
	var fields []string
	for name, value := range data {
		raw, err := json.Marshal(value)
		if err != nil {
			panic(fmt.Sprintf("crash: %v", err)) // it came as JSON
		}
		fields = append(fields, name+"="+string(raw))
	}
	return set(fields)
}
