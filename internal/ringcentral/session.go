package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// ErrCredentials is returned, inside an *Error of status 401 whose outcome is NotSent, by a call that could not be authorized because the
// platform refuses the application's or the user's credentials.
var ErrCredentials = errors.New("the platform refuses the credentials")

// errNoAccess is the cause of calls that found no token and the token endpoint out of order.
var errNoAccess = errors.New("no access token can be had")

// refusalMemory is how long a refusal of the credentials is repeated without asking again: nearly the minute in which halted directions
// probe, so that all of them together ask about once.
const refusalMemory = 55 * time.Second

// drainTime is how long a renewal waits for the calls that show the old token, which a refresh ends at once. Answers take a tenth of a
// second; a call that takes longer has been let in long ago.
const drainTime = time.Second

// session holds the access token that all calls share.
//
//	none ──first call──▶ valid ──80 % of its life──▶ valid, being renewed ──▶ valid
//	                       │                                 │
//	                       └──401, or spent──▶ being renewed: calls wait ──▶ refused, or out of order: calls fail
//
// There is one renewal at a time, in the background, begun by the call that finds it due. While its request is on the wire calls wait even if
// the token still works, as a refresh ends the old token at once, and the request waits
// for those that are on their way with it. Safe for concurrent use.
type session struct {
	source *tokenSource

	ctx  context.Context //nolint:containedctx // the life of the renewals, which outlive the calls that begin them
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	token    token
	renewing bool
	onWire   bool
	out      int       // calls that are on their way with a token
	failure  *Error    // why the last renewal failed
	again    time.Time // when the next may begin
	changed  chan struct{}
}

func newSession(source *tokenSource) *session {
	ctx, stop := context.WithCancel(context.Background())
	s := &session{source: source, ctx: ctx, stop: stop, changed: make(chan struct{})}
	source.onWire = s.setOnWire
	return s
}

// close ends a renewal under way and waits for its end. Later renewals fail at once.
func (s *session) close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.wg.Wait()
}

// authorize implements credentials.
func (s *session) authorize(ctx context.Context, op string) (credential, error) {
	if last, ok := startDeadline(ctx); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, last, ErrTooLate)
		defer cancel()
	}
	for {
		used, changed, err := s.look(op)
		if changed == nil {
			return used, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return credential{}, &Error{Op: op, Outcome: NotSent, Err: fmt.Errorf("%w: %w", errNoAccess, context.Cause(ctx))}
		}
	}
}

// look returns the credential, or why there is none, or the channel to wait on. It begins a renewal that is due.
func (s *session) look(op string) (credential, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	valid := s.token.value != "" && now.Before(s.token.spent)
	if !s.renewing && !now.Before(s.token.renew) && !now.Before(s.again) && s.ctx.Err() == nil {
		s.renewing = true
		s.wg.Go(s.renew)
	}
	switch {
	case valid && !s.onWire:
		s.out++
		return bearer(s.token.value.Reveal()), nil, nil
	case s.renewing:
		return credential{}, s.changed, nil
	}
	failure := &Error{Op: op, Outcome: NotSent, Err: errNoAccess}
	if f := s.failure; f != nil {
		failure.Status, failure.Code, failure.Message, failure.Err = f.Status, f.Code, f.Message, f.Err
		failure.RetryAfter = max(s.again.Sub(now), 0)
	}
	return credential{}, nil, failure
}

// renew asks for the next token and tells those who wait.
func (s *session) renew() {
	next, err := s.source.next(s.ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	s.renewing = false
	if err != nil {
		s.failure, s.again = outcomeOfRenewal(err)
		if s.ctx.Err() == nil {
			s.source.c.log.Warn("authentication failed", "error", s.failure, "again_in", time.Until(s.again))
		}
		return
	}
	if s.failure != nil {
		s.source.c.log.Info("authenticated again")
	}
	s.token, s.failure, s.again = next, nil, time.Time{}
	s.source.c.m.tokenExpiry.WithLabelValues(s.source.c.api).Set(float64(next.spent.Unix()))
}

// outcomeOfRenewal returns what calls without a token are told, and when the next renewal may begin.
func outcomeOfRenewal(err error) (*Error, time.Time) {
	now := time.Now()
	failure, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return &Error{Err: fmt.Errorf("%w: %w", errNoAccess, err)}, now.Add(retryPause)
	case refusedCredentials(failure):
		return &Error{Status: http.StatusUnauthorized, Code: failure.Code, Message: failure.Message, Err: ErrCredentials}, now.Add(refusalMemory)
	case failure.Status == http.StatusTooManyRequests, errors.Is(err, ErrNoBudget):
		return &Error{Err: fmt.Errorf("%w: %w", ErrNoBudget, err)}, now.Add(failure.RetryAfter)
	default:
		return &Error{Err: fmt.Errorf("%w: %w", errNoAccess, err)}, now.Add(max(failure.RetryAfter, retryPause))
	}
}

// refused implements credentials: the token is not shown again, if it is still the current one.
func (s *session) refused(used credential) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.value != "" && used == bearer(s.token.value.Reveal()) {
		s.token = token{}
		s.source.forget()
	}
	return true
}

// secrets implements credentials.
func (s *session) secrets() []string { return s.source.secrets() }

// handBack implements credentials.
func (s *session) handBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out--; s.out == 0 && s.onWire {
		s.wake()
	}
}

// setOnWire holds the calls back that want a token, and waits for those that have one; or lets them go.
func (s *session) setOnWire(on bool) {
	s.mu.Lock()
	s.onWire = on
	s.wake()
	s.mu.Unlock()
	if on {
		s.drain()
	}
}

// drain waits until no call is on its way with a token, for drainTime at most.
func (s *session) drain() {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	for {
		s.mu.Lock()
		out, changed := s.out, s.changed
		s.mu.Unlock()
		if out == 0 {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// wake tells all who wait that something has changed. The caller holds mu.
func (s *session) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
