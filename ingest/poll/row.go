package poll

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"hash/maphash"
	"time"

	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/internal/instant"
)

// A row is one record of a page, and what polling needs to know of it.
type row struct {
	raw      json.RawMessage
	read     time.Time // when it came, by the API's clock
	ident    string    // tells it from the others: its id, or its bytes where it has none
	id       string    // "" = unreadable
	thread   string    // "" = none
	at       time.Time // what the list is ordered by; zero = unreadable
	imported time.Time // when the API got it, by its id; zero = the id does not tell
	hash     uint64    // of the bytes
	typ      string    // "" = none
	hole     bool      // the API does not give it: nothing else is known
	empty    bool      // it is null: there is nothing to write
}

// hashSeed makes hashes differ from process to process; they are kept in memory
// only.
type hashSeed = maphash.Seed

// fields are what is read of a row. Ids come as strings or as numbers.
type fields struct {
	ID        lenient.Text `json:"id"`
	ThreadID  lenient.Text `json:"thread_id"`
	CreatedAt lenient.Text `json:"created_at"`
	UpdatedAt lenient.Text `json:"updated_at"`

	// The platform's names.
	SocialThreadID   lenient.Text `json:"threadId"`
	CreationTime     lenient.Text `json:"creationTime"`
	LastModifiedTime lenient.Text `json:"lastModifiedTime"`
	Conversation     struct {
		ID lenient.Text `json:"id"`
	} `json:"conversation"`
	// ConversationID has more digits than a float holds; its text is exact.
	ConversationID lenient.Text `json:"conversationId"`
	Type           lenient.Text `json:"type"`
}

// thread returns the conversation; "" = none.
func (f fields) thread() string {
	return string(cmp.Or(f.ThreadID, f.SocialThreadID, f.Conversation.ID, f.ConversationID))
}

// readRow reads a row; now is the API's time. One that cannot be read is a row too: it is taken, and what
// is to become of it is decided behind the inbox.
func readRow(raw json.RawMessage, now time.Time, seed hashSeed, at func(fields) lenient.Text) row {
	var f fields
	_ = json.Unmarshal(raw, &f) // a wrong shape leaves the rest readable
	r := row{
		raw: raw, read: now, id: string(f.ID), thread: f.thread(), ident: string(f.ID),
		at: readTime(string(at(f)), now), imported: importTime(string(f.ID), now), hash: maphash.Bytes(seed, raw), typ: string(f.Type),
		empty: string(raw) == "null",
	}
	if r.ident == "" {
		r.ident = "\x00" + string(raw)
	}
	return r
}

// futureSlack is how far ahead of the API's clock a row may be dated. Beyond it the date is one of
// the source's, and the API may sort by another: it shows neither the order nor how far the list
// was read.
const futureSlack = 24 * time.Hour

// readTime reads a time in any form that the APIs use; zero = unreadable, or in the future.
func readTime(text string, now time.Time) time.Time {
	t, ok := instant.ParseText(text)
	if !ok || t.After(now.Add(futureSlack)) {
		return time.Time{}
	}
	return t
}

// Ids are 24 hexadecimal digits, of which the first eight are the second in which
// the row was made in the API's database: the time of import, which no field tells.
const (
	idDigits     = 24
	idTimeDigits = 8
	// idSlack is how far the API's clock may be ahead of ours.
	idSlack = time.Hour
)

// firstImport is before the first row of any account: an id that tells an earlier
// time was not made this way.
func firstImport() time.Time { return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC) }

// importTime returns the time in an id, zero when it is not plausible.
func importTime(id string, now time.Time) time.Time {
	if len(id) != idDigits {
		return time.Time{}
	}
	digits, err := hex.DecodeString(id)
	if err != nil {
		return time.Time{}
	}
	var seconds int64
	for _, b := range digits[:idTimeDigits/2] {
		seconds = seconds<<8 | int64(b)
	}
	t := time.Unix(seconds, 0).UTC()
	if t.Before(firstImport()) || t.After(now.Add(idSlack)) {
		return time.Time{}
	}
	return t
}
