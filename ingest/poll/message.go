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
	// completeTimeout bounds one of these reads, with its repetitions.
	completeTimeout = 90 * time.Second
	// maxUnanswered is how many rounds in a row a read without an answer may hold back
	// what is deleted.
	maxUnanswered = 3
	// maxConversations bounds the memory of conversations, to some 20 MB.
	maxConversations = 100_000
)

// lacksConversation reports whether the conversation of a message has to be asked for:
// the record of one that is deleted has the id and the availability only. One of which
// the stream has met the conversation gets it.
func (s *stream) lacksConversation(r *row) bool {
	if r.id == "" {
		return false
	}
	if r.thread != "" {
		s.rememberConversation(r)
		return false
	}
	r.thread = s.sync.conversations[r.id]
	return r.thread == "" && r.typ == ""
}

// completeAll finds the conversations of messages that are deleted. Where there is none
// to be found a message stands for itself: it does when the API answers that it does not
// show it. Without an answer the next rounds try again, some times.
func (s *stream) completeAll(ctx context.Context, rows []*row) error {
	for _, r := range rows {
		if s.sync.reads >= maxReads {
			return nil
		}
		s.sync.reads++
		err := s.complete(ctx, r)
		switch {
		case err == nil:
			s.sync.unanswered = 0
			s.closedGap(gapMessage)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case judge(err) == resultUnauthorized:
			return err
		case isAnswer(err):
			s.incomplete(err)
		case s.sync.unanswered < maxUnanswered:
			s.sync.unanswered++
			return err
		default:
			s.incomplete(err)
			return nil // the others would wait as long
		}
	}
	return nil
}

// complete reads a message that is deleted.
func (s *stream) complete(ctx context.Context, r *row) error {
	ctx, cancel := context.WithTimeoutCause(ctx, completeTimeout, errReadTimeout)
	defer cancel()
	var raw json.RawMessage
	err := s.call(ctx, func(ctx context.Context) (err error) {
		raw, err = s.platform.Message(ctx, r.id)
		return err
	})
	if err != nil {
		return err
	}
	whole := readRow(raw, s.now(), s.memory.seed, s.kind.at)
	if whole.id == r.id && whole.thread != "" {
		// The hash stays that of the record, by which it is known again.
		r.raw, r.thread, r.at = whole.raw, whole.thread, whole.at
		s.rememberConversation(r)
	}
	return nil
}

// isAnswer reports whether the API has answered: with a refusal, a failure, or something
// that is no message. A rate limit is no answer.
func isAnswer(err error) bool {
	var api *ringcentral.Error
	return errors.As(err, &api) && api.Status != 0 && judge(err) != resultRateLimited
}

// incomplete notes a message that goes on as it is. That one is purged is usual.
func (s *stream) incomplete(err error) {
	var api *ringcentral.Error
	if !errors.As(err, &api) || api.Status != http.StatusNotFound {
		s.foundGap(gapMessage, err)
	}
}

func (s *stream) rememberConversation(r *row) {
	if s.sync.conversations == nil || len(s.sync.conversations) >= maxConversations {
		s.sync.conversations = map[string]string{}
	}
	s.sync.conversations[r.id] = r.thread
}
