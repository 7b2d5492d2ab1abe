package poll

import (
	"context"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A gap is a part of the message store that could not be read: a metric label. The
// newest messages come in all the same; what is missing is tried again.
type gap string

// The gaps.
const (
	gapDeleted gap = "deleted" // the list of deleted messages
	gapOlder   gap = "older"   // what a full sync would show, or the rest of it
	gapMessage gap = "message" // a single message, which a deleted one is completed from
)

func gaps() []gap { return []gap{gapDeleted, gapOlder, gapMessage} }

// found counts a gap and logs it when it begins.
func (s *stream) foundGap(g gap, err error) {
	s.metrics.gaps.WithLabelValues(string(g)).Inc()
	if s.sync.gaps[g] {
		s.log.Debug("a part of the message store is still not read", "part", string(g), "error", err)
		return
	}
	if s.sync.gaps == nil {
		s.sync.gaps = map[gap]bool{}
	}
	s.sync.gaps[g] = true
	switch g {
	case gapDeleted:
		s.log.Warn("deleted messages can't be listed: deletions are not seen in full until they can", "error", err)
	case gapOlder:
		s.log.Warn("older messages can't be read: the newest are, the others are tried again", "error", err)
	case gapMessage:
		s.log.Warn("deleted message not read: its event stands under its own id", "error", err)
	}
}

// closedGap logs that a part can be read again.
func (s *stream) closedGap(g gap) {
	if s.sync.gaps[g] {
		delete(s.sync.gaps, g)
		s.log.Info("the part of the message store is read again", "part", string(g))
	}
}

// oursToMend reports whether an error is not the API's: the stream is to stop, or the
// broker does not take what was read.
func oursToMend(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, errInbox) || errors.Is(err, errCursor)
}

// leavesGap reports whether an error on a part of the store may be noted as a gap: not if
// it is ours, or concerns every call.
func leavesGap(ctx context.Context, err error) bool {
	return !oursToMend(ctx, err) && judge(err) != resultUnauthorized
}

// errReadTimeout ends the reading of a part that takes too long.
var errReadTimeout = errors.New("the API takes too long")

// A retry spaces what is tried again: the pause is a minute at first, and doubles up to
// the interval of sweeps while tries follow each other; after a quiet time it is a minute
// again. The zero value is ready.
type retry struct {
	last  time.Time
	pause time.Duration
}

const retryMin = time.Minute

func (r *retry) ready(now time.Time) bool { return now.Sub(r.last) >= r.pause }

func (r *retry) tried(now time.Time, most time.Duration) {
	next := retryMin
	if now.Sub(r.last) < 2*r.pause {
		next = 2 * r.pause
	}
	r.last, r.pause = now, min(next, most)
}

// refusedRequest reports whether the API refuses what was asked for: other parameters may
// be taken.
func refusedRequest(err error) bool {
	var api *ringcentral.Error
	return errors.As(err, &api) && (api.Status == 400 || api.Status == 422)
}
