package poll

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// maxReads is how many single messages a round reads to complete deleted ones:
	// four minutes at the API's documented rate. Who deletes more at once has their
	// events under the messages' own ids.
	maxReads = 200
	// maxConversations bounds the memory of conversations, to some 20 MB.
	maxConversations = 100_000
)

// isText reports whether a record is of the type that was asked for. What has none
// is deleted.
func (s *stream) isText(r row) bool {
	if r.typ == "" || r.typ == smsType || r.typ == textType {
		return true
	}
	if !s.sync.warnedOfType {
		s.sync.warnedOfType = true
		s.log.Warn("the API ignores the type that was asked for: other messages than texts are left out", "type", r.typ)
	}
	return false
}

// complete finds the conversation of a message that is deleted: its record has the
// id and the availability only. Where there is none to be found it stands for itself.
func (s *stream) complete(ctx context.Context, r *row) error {
	if r.id == "" {
		return nil
	}
	if r.thread != "" {
		s.rememberConversation(r)
		return nil
	}
	if known, ok := s.sync.conversations[r.id]; ok {
		r.thread = known
		return nil
	}
	if s.sync.reads++; s.sync.reads > maxReads {
		return nil
	}
	var raw json.RawMessage
	err := s.call(ctx, func(ctx context.Context) (err error) {
		raw, err = s.platform.Message(ctx, r.id)
		return err
	})
	if err != nil {
		return s.incomplete(r, err)
	}
	whole := readRow(raw, time.Now(), s.memory.seed, s.kind.at)
	if whole.id == r.id && whole.thread != "" {
		// The hash stays that of the record, by which it is known again.
		r.raw, r.thread, r.at = whole.raw, whole.thread, whole.at
		s.rememberConversation(r)
	}
	return nil
}

// incomplete decides whether a message that could not be read goes on as it is: it
// does when the API answered, or one message could hold up all others.
func (s *stream) incomplete(r *row, err error) error {
	var api *ringcentral.Error
	if !errors.As(err, &api) || api.Status < http.StatusBadRequest || judge(err) == resultUnauthorized {
		return err
	}
	if api.Status != http.StatusNotFound {
		s.log.Warn("deleted message not read: its event stands under its own id", "id", r.id, "error", err)
	}
	return nil
}

func (s *stream) rememberConversation(r *row) {
	if s.sync.conversations == nil || len(s.sync.conversations) >= maxConversations {
		s.sync.conversations = map[string]string{}
	}
	s.sync.conversations[r.id] = r.thread
}
