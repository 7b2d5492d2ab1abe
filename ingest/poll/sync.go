package poll

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/internal/failpoint"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	// statusReach is how long the status of a text message may still change. A full
	// sync and a sweep read back as far, or POLL_SWEEP: so every status is found, even
	// one that no incremental sync has shown.
	statusReach = 48 * time.Hour
	// syncRecords is how many messages a full sync is asked for at once, some 6 MB:
	// answers have no pages, and one that is too large could not be read at all.
	syncRecords = 5000
	// smsType is the only type that is wanted: voice mail and faxes are others.
	smsType = "SMS"
	// textType is a message between colleagues, which some answers put beside it.
	textType = "Text"
)

// syncState is what the stream of the message store remembers besides its cursor.
type syncState struct {
	conversations map[string]string // of messages, to know those that are deleted
	reads         int               // of single messages in this round
	warnedOfType  bool
}

// syncRound reads what has changed in the message store since the token. Without one,
// or when it is lost, all is read again from well before the last safe time.
func (s *stream) syncRound(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, passTimeout, errPassTimeout)
	defer cancel()
	began := time.Now()
	s.sync.reads = 0
	s.cursor.notAfter(began, s.cfg.Overlap)
	if s.cursor.Token != "" {
		if err := s.syncChanges(ctx, began); err != nil {
			return err
		}
	}
	if s.cursor.Token == "" {
		if err := s.syncAll(ctx); err != nil {
			return err
		}
	}
	if why, due := s.sweeps.due(began, s.cursor); due {
		return s.syncSweep(ctx, why, began)
	}
	return nil
}

// syncChanges reads on from the token; if it is lost, there is none afterwards.
func (s *stream) syncChanges(ctx context.Context, began time.Time) error {
	answer, err := s.syncMessages(ctx, ringcentral.SyncQuery{Token: s.cursor.Token})
	switch {
	case errors.Is(err, ringcentral.ErrSyncTokenLost):
		s.metrics.tokensLost.Inc()
		s.log.Info("the sync token is lost: all is read again", "from", s.syncFrom())
		s.cursor.Token = ""
		return nil
	case unreadable(err):
		// Too much has come since. A full sync takes it in parts.
		s.log.Warn("the changes since the sync token can't be read: all is read again", "error", err, "from", s.syncFrom())
		s.cursor.Token = ""
		return nil
	case err != nil:
		return err
	}
	h := newHarvest(maxHarvest + len(answer.Records)*maxRowBytes) // what is left out would not come again
	s.memory.pass++
	s.siftMessages(h, answer.Records, time.Time{}, false)
	return s.syncWrite(ctx, h, answer.Token, earlier(later(answer.Time, s.cursor.Known), began))
}

// maxRowBytes is above any message's size; it makes a harvest take all of an answer.
const maxRowBytes = 1 << 20

// unreadable reports whether an answer was a success that could not be read.
func unreadable(err error) bool {
	var api *ringcentral.Error
	return errors.As(err, &api) && api.Status/100 == 2
}

// syncFrom is where a full sync begins. It goes by the times of creation, while
// statuses change later: so it reaches back further than what is safe.
func (s *stream) syncFrom() time.Time {
	if s.cursor.Known.IsZero() {
		return s.cursor.Since
	}
	return later(s.cursor.Since, s.cursor.Known.Add(-max(s.cfg.Sweep, statusReach)-s.cfg.Overlap))
}

// syncAll makes full syncs until one has taken all there is.
func (s *stream) syncAll(ctx context.Context) error {
	for {
		began := time.Now()
		h, first, err := s.gatherMessages(ctx, s.syncFrom(), false)
		if err != nil {
			return err
		}
		if !h.overflow {
			return s.syncWrite(ctx, h, first.Token, earlier(later(first.Time, s.cursor.Known), began))
		}
		// The oldest are safe then, and remembered; what is newer is read again.
		if err := s.syncWrite(ctx, h, "", h.newestTaken()); err != nil {
			return err
		}
	}
}

// syncSweep reads the store back as far as statuses may change, and keeps the token.
func (s *stream) syncSweep(ctx context.Context, why cause, began time.Time) error {
	late := 0
	for {
		h, _, err := s.gatherMessages(ctx, s.syncFrom(), true)
		if err != nil {
			return err
		}
		if err := s.syncWrite(ctx, h, s.cursor.Token, s.cursor.Known); err != nil {
			return err
		}
		late += h.late
		if !h.overflow {
			break
		}
	}
	s.cursor.Swept = began.UTC().Round(0)
	s.finishSweep(why, began, 0, late)
	s.memory.forget(s.syncFrom(), s.memory.pass)
	return s.save(ctx)
}

// gatherMessages reads the messages created since from, the newest first, and those
// among them that are deleted, which a full sync does not show. It returns the first
// answer besides: its token is from before all the others.
func (s *stream) gatherMessages(ctx context.Context, from time.Time, sweep bool) (*harvest, ringcentral.SyncAnswer, error) {
	h := newHarvest(s.maxHarvest)
	s.memory.pass++
	var first ringcentral.SyncAnswer
	q := ringcentral.SyncQuery{From: from, Types: []string{smsType}, RecordCount: syncRecords}
	for met := map[string]bool{}; ; {
		answer, err := s.syncMessages(ctx, q)
		if err != nil {
			return nil, first, err
		}
		if q.To.IsZero() {
			first = answer
		}
		oldest, fresh := time.Time{}, false
		for _, r := range s.siftMessages(h, answer.Records, from, sweep) {
			fresh = fresh || !met[r.ident]
			met[r.ident] = true
			if !r.at.IsZero() && (oldest.IsZero() || r.at.Before(oldest)) {
				oldest = r.at
			}
		}
		// Older ones exist outside of the frame as well, so one call more than needed
		// may be made.
		if !answer.OlderRecordsExist || !fresh || !oldest.After(from) {
			break
		}
		q.To = oldest.Add(time.Second)
	}
	return h, first, s.gatherDeleted(ctx, h, from, sweep)
}

// gatherDeleted adds the messages that are deleted, for as long as the store has them.
func (s *stream) gatherDeleted(ctx context.Context, h *harvest, from time.Time, sweep bool) error {
	q := ringcentral.MessagesQuery{
		Types: []string{smsType}, Availability: []string{"Deleted", "Purged"}, From: from, To: time.Now(), PerPage: keysetRows,
	}
	for {
		var p ringcentral.MessagePage
		err := s.call(ctx, func(ctx context.Context) (err error) {
			p, err = s.platform.Messages(ctx, q)
			return err
		})
		if err != nil {
			return err
		}
		s.siftMessages(h, p.Records, from, sweep)
		if p.Next == "" {
			return nil
		}
		q.Next = p.Next
	}
}

// siftMessages puts records where they belong, the newest first, and returns them.
func (s *stream) siftMessages(h *harvest, records []json.RawMessage, bound time.Time, sweep bool) []row {
	rows := s.rows(records)
	slices.SortStableFunc(rows, func(a, b row) int { return b.at.Compare(a.at) })
	before := h.read
	for _, r := range rows {
		if s.isText(r) {
			s.sift(h, r, bound, sweep)
		}
	}
	s.metrics.read.WithLabelValues(s.kind.stream).Add(float64(h.read - before))
	return rows
}

func (s *stream) syncMessages(ctx context.Context, q ringcentral.SyncQuery) (answer ringcentral.SyncAnswer, err error) {
	err = s.call(ctx, func(ctx context.Context) (err error) {
		answer, err = s.platform.SyncMessages(ctx, q)
		return err
	})
	return answer, err
}

// syncWrite puts a harvest into the inbox, and only then moves the cursor.
func (s *stream) syncWrite(ctx context.Context, h *harvest, token string, known time.Time) error {
	for _, r := range h.rows {
		if err := s.complete(ctx, r); err != nil {
			return err
		}
	}
	if err := s.write(ctx, h); err != nil {
		return err
	}
	failpoint.Hit("poll/messages-written")
	s.cursor.Token, s.cursor.Known = token, later(s.cursor.Known, known.UTC().Round(0))
	return s.save(ctx)
}
