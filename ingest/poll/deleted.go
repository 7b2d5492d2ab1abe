package poll

import (
	"context"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// deletedTimeout bounds the list of deleted messages, and maxDeletedPages its length:
	// the store keeps them for five days.
	deletedTimeout  = time.Minute
	maxDeletedPages = 100
)

// syncDeleted writes the messages that are deleted, for as long as the store has them: a
// full sync does not show them. What was read before an error is written.
func (s *stream) syncDeleted(ctx context.Context, from time.Time, sweep bool) (late int, err error) {
	h := newHarvest(s.maxHarvest)
	fault := s.gatherDeleted(ctx, h, from, sweep)
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if err := s.syncWrite(ctx, h, s.cursor.Token, s.cursor.Known); err != nil {
		return 0, err
	}
	if fault == nil && h.overflow { // the others are for the next time
		fault = errEndless
	}
	return h.late, fault
}

// gatherDeleted lists what is deleted. A platform that does not take the query is asked
// in a plainer way, which leaves out what is purged.
func (s *stream) gatherDeleted(ctx context.Context, h *harvest, from time.Time, sweep bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, deletedTimeout, errReadTimeout)
	defer cancel()
	q := ringcentral.MessagesQuery{
		Types: []string{smsType}, Availability: []string{"Deleted", "Purged"}, From: from, To: time.Now(), PerPage: keysetRows,
	}
	err := s.gatherPages(ctx, h, q, from, sweep)
	if !refusedRequest(err) {
		return err
	}
	q.Availability, q.PerPage = q.Availability[:1], 0
	if plain := s.gatherPages(ctx, h, q, from, sweep); plain != nil {
		return plain
	}
	return err
}

func (s *stream) gatherPages(ctx context.Context, h *harvest, q ringcentral.MessagesQuery, from time.Time, sweep bool) error {
	met := map[string]bool{}
	for range maxDeletedPages {
		var p ringcentral.MessagePage
		// A 429 ends it: the newest do not wait for what is deleted.
		err := s.callTries(ctx, fetchTries, 1, func(ctx context.Context) (err error) {
			p, err = s.platform.Messages(ctx, q)
			if errors.Is(err, ringcentral.ErrSamePage) {
				s.siftMessages(h, p.Records, from, sweep)
			}
			return err
		})
		if err != nil {
			return err
		}
		fresh := false
		for _, r := range s.siftMessages(h, p.Records, from, sweep) {
			fresh = fresh || !met[r.ident]
			met[r.ident] = true
		}
		switch {
		case p.Next == "":
			return nil
		case !fresh:
			return errEndless
		}
		q.Next = p.Next
	}
	return errEndless
}
