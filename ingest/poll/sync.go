package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
	// maxSyncParts bounds the answers of one full sync, to a million messages. The API
	// keeps 5,000 a folder.
	maxSyncParts = 200
	// maxSyncFaults is how many rounds in a row may fail to read on from the token before
	// the newest messages are read without it.
	maxSyncFaults = 3
	// smsType is the type that full syncs ask for: voice mail and faxes are others, which
	// the rate limit and the size of an answer are not spent on. What comes back is taken,
	// whatever its type.
	smsType = "SMS"
)

// syncState is what the stream of the message store remembers besides its cursor.
type syncState struct {
	conversations map[string]string // of messages, to know those that are deleted
	reads         int               // of single messages in this round
	faults        int               // rounds in a row in which the token led nowhere
	unanswered    int               // rounds in a row in which single messages had no answer
	back          retry             // full syncs that reach back
	gaps          map[gap]bool      // that are open
	uncounted     bool              // the API refuses a number of records
}

// syncRound reads what has changed in the message store since the token. Without one,
// or when it is lost, all is read again from well before the last safe time. When that
// was done a moment ago, or fails, the newest messages are read, and the rest is owed:
// it is read with a growing pause.
func (s *stream) syncRound(ctx context.Context) error {
	began := time.Now()
	s.sync.reads = 0
	s.cursor.notAfter(began, s.cfg.Overlap)
	defer func() {
		if owed := !s.cursor.Owed.IsZero(); owed != s.missing {
			s.missing = owed
			s.metrics.setIncomplete(s.kind.stream, owed)
		}
	}()
	if err := s.syncNewest(ctx, began); err != nil {
		return err
	}
	why, due := s.sweeps.due(began, s.cursor)
	if due || !s.cursor.Owed.IsZero() && s.sync.back.ready(began) {
		return s.syncSweep(ctx, why, began)
	}
	return nil
}

// errChanges says that there was no reading on from the token.
var errChanges = errors.New("read on from the sync token")

// syncNewest reads on from the token, or without it.
func (s *stream) syncNewest(ctx context.Context, began time.Time) error {
	if s.cursor.Token == "" {
		return s.syncAll(ctx)
	}
	err := s.syncChanges(ctx, began)
	switch {
	case err == nil:
		s.sync.faults = 0
		if s.cursor.Token == "" {
			return s.syncAll(ctx)
		}
		return nil
	case !errors.Is(err, errChanges) || !leavesGap(ctx, err):
		return err
	}
	// The token itself may be what the API chokes on.
	if s.sync.faults++; s.sync.faults < maxSyncFaults {
		return err
	}
	if s.syncAll(ctx) != nil {
		return err
	}
	s.foundGap(gapOlder, err)
	return nil
}

// syncChanges reads on from the token; if it is lost, there is none afterwards.
func (s *stream) syncChanges(ctx context.Context, began time.Time) error {
	answer, err := s.syncMessages(ctx, ringcentral.SyncQuery{Token: s.cursor.Token})
	switch {
	case errors.Is(err, ringcentral.ErrSyncTokenLost):
		s.metrics.tokensLost.Inc()
		s.log.Log(ctx, s.backLevel(slog.LevelInfo), "the sync token is lost: all is read again", "from", s.syncFrom(), "error", err)
		s.cursor.Token = ""
		return nil
	case unreadable(err):
		// Too much has come since. A full sync takes it in parts.
		s.log.Log(ctx, s.backLevel(slog.LevelWarn), "the changes since the sync token can't be read: all is read again", "error", err, "from", s.syncFrom())
		s.cursor.Token = ""
		return nil
	case err != nil:
		return fmt.Errorf("poll: %w: %w", errChanges, err)
	}
	h := newHarvest(maxHarvest + len(answer.Records)*maxRowBytes) // what is left out would not come again
	s.memory.pass++
	s.siftMessages(h, answer.Records, time.Time{}, false)
	return s.syncWrite(ctx, h, answer.Token, s.reached(answer, h, began))
}

// backLevel makes what repeats at each round one line, not one a round.
func (s *stream) backLevel(level slog.Level) slog.Level {
	if s.sync.back.ready(time.Now()) {
		return level
	}
	return slog.LevelDebug
}

// reached returns the time up to which an answer shows everything: the platform's, of the
// answer, or that of the newest row where there is none. It is never after our own.
func (s *stream) reached(answer ringcentral.SyncAnswer, h *harvest, began time.Time) time.Time {
	at := answer.Time
	if at.IsZero() {
		at = h.newest
	}
	return earlier(later(at, s.cursor.Known), began)
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

// syncAll reads the store without a token: all that may have changed, or only the newest
// if that was done a moment ago, or fails.
func (s *stream) syncAll(ctx context.Context) error {
	began := time.Now()
	all := s.syncFrom()
	newest := later(all, s.cursor.bound(s.cfg.Overlap))
	if s.sync.back.ready(began) {
		s.sync.back.tried(began, s.backMost())
		_, err := s.syncFull(ctx, all, false, true)
		if err == nil || !leavesGap(ctx, err) || newest.Equal(all) {
			return err
		}
		s.foundGap(gapOlder, err)
	}
	s.owe(all)
	_, err := s.syncFull(ctx, newest, false, false)
	return err
}

// backMost is the longest pause before the store is read back again.
func (s *stream) backMost() time.Duration { return s.cfg.SweepInterval }

// owe notes that the store was not read in full from a time on.
func (s *stream) owe(from time.Time) {
	if s.cursor.Owed.IsZero() || from.Before(s.cursor.Owed) {
		s.cursor.Owed = from.UTC().Round(0)
	}
}

// syncFull makes full syncs until one has taken all there is from a time on, and writes
// it. A sweep keeps the token. Where deleted ones are wanted they come last, so that
// their list holds up nothing. What could not be read is owed.
func (s *stream) syncFull(ctx context.Context, from time.Time, sweep, deleted bool) (late int, err error) {
	whole := true
	if deleted {
		s.owe(from) // whoever goes on if this process dies
	}
	for overflow := true; overflow; {
		began := time.Now()
		h, first, fault, err := s.gatherMessages(ctx, from, sweep)
		if err != nil {
			return late, err
		}
		if fault != nil {
			whole = false
			s.foundGap(gapOlder, fault)
			s.owe(from)
		}
		token, known := first.Token, s.reached(first, h, began)
		if h.overflow {
			// The oldest are safe then, and remembered; what is newer is read again.
			token, known = "", earlier(h.newestTaken(), began)
		}
		if sweep {
			token, known = s.cursor.Token, s.cursor.Known
		}
		if err := s.syncWrite(ctx, h, token, known); err != nil {
			return late, err
		}
		late += h.late
		overflow = h.overflow
	}
	if !deleted {
		return late, nil
	}
	found, err := s.syncDeleted(ctx, from, sweep)
	if err != nil {
		if oursToMend(ctx, err) {
			return late, err
		}
		whole = false // a refusal of the credential, too: the call before was not refused
		s.foundGap(gapDeleted, err)
	}
	if whole {
		s.paid(from)
	}
	return late + found, s.save(ctx)
}

// paid notes that the store was read in full from a time on.
func (s *stream) paid(from time.Time) {
	s.closedGap(gapOlder)
	s.closedGap(gapDeleted)
	if !s.cursor.Owed.Before(from) {
		s.cursor.Owed = time.Time{}
	}
}

// syncSweep reads the store back as far as statuses may change, and as far as is owed,
// and keeps the token. If it fails the newest have come in already: it is owed.
func (s *stream) syncSweep(ctx context.Context, why cause, began time.Time) error {
	from := s.syncFrom()
	if !s.cursor.Owed.IsZero() {
		from = earlier(from, s.cursor.Owed)
	}
	late, err := s.syncFull(ctx, from, true, true)
	if err != nil && !leavesGap(ctx, err) {
		return err
	}
	if err != nil {
		s.foundGap(gapOlder, err)
		s.owe(from)
	}
	s.cursor.Swept = began.UTC().Round(0)
	if s.cursor.Owed.IsZero() && why != "" {
		s.finishSweep(why, began, 0, late)
	}
	if !s.cursor.Owed.IsZero() {
		s.sync.back.tried(began, s.backMost())
	}
	s.memory.forget(s.syncFrom(), s.memory.pass)
	return s.save(ctx)
}

// gatherMessages reads the messages created since from, the newest first. It returns the
// first answer besides: its token is from before all the others. A fault is what kept it
// from reading to the end; an error, what kept it from reading anything.
func (s *stream) gatherMessages(ctx context.Context, from time.Time, sweep bool) (h *harvest, first ringcentral.SyncAnswer, fault, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, passTimeout, errPassTimeout)
	defer cancel()
	h = newHarvest(s.maxHarvest)
	s.memory.pass++
	q := ringcentral.SyncQuery{From: from, Types: []string{smsType}, RecordCount: syncRecords}
	met, reach := map[string]bool{}, time.Time{}
	for parts := 1; ; parts++ {
		answer, err := s.syncPart(bounded, q)
		switch {
		case err != nil && (parts == 1 || ctx.Err() != nil):
			return nil, first, nil, err
		case err != nil:
			return h, first, err, nil
		case parts == 1:
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
			return h, first, nil, nil
		}
		if parts == maxSyncParts || !reach.IsZero() && !oldest.Before(reach) {
			return h, first, errEndless, nil
		}
		reach, q.To = oldest, oldest.Add(time.Second)
	}
}

// syncPart makes one call of a full sync, without a number of records where the API
// refuses it.
func (s *stream) syncPart(ctx context.Context, q ringcentral.SyncQuery) (ringcentral.SyncAnswer, error) {
	if s.sync.uncounted {
		q.RecordCount = 0
	}
	answer, err := s.syncMessages(ctx, q)
	if q.RecordCount > 0 && refusedRequest(err) {
		q.RecordCount = 0
		if second, again := s.syncMessages(ctx, q); again == nil {
			s.sync.uncounted = true
			s.log.Info("the API refuses a number of records: full syncs go on without", "error", err)
			return second, nil
		}
	}
	return answer, err
}

// siftMessages puts records where they belong, the newest first, and returns them.
func (s *stream) siftMessages(h *harvest, records []json.RawMessage, bound time.Time, sweep bool) []row {
	rows := s.rows(records)
	slices.SortStableFunc(rows, func(a, b row) int { return b.at.Compare(a.at) })
	before := h.read
	for _, r := range rows {
		s.sift(h, r, bound, sweep)
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

// syncWrite puts a harvest into the inbox, and only then moves the cursor. What lacks its
// conversation comes last: it has to be asked for.
func (s *stream) syncWrite(ctx context.Context, h *harvest, token string, known time.Time) error {
	whole, lacking := &harvest{}, &harvest{}
	for _, r := range h.rows {
		if s.lacksConversation(r) {
			lacking.rows = append(lacking.rows, r)
		} else {
			whole.rows = append(whole.rows, r)
		}
	}
	if err := s.write(ctx, whole); err != nil {
		return err
	}
	if err := s.completeAll(ctx, lacking.rows); err != nil {
		return err
	}
	if err := s.write(ctx, lacking); err != nil {
		return err
	}
	failpoint.Hit("poll/messages-written")
	s.cursor.Token, s.cursor.Known = token, later(s.cursor.Known, known.UTC().Round(0))
	return s.save(ctx)
}
