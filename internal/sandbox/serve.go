package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body. It leaves room for an attachment; the API documents no limit.
const maxBody = 16 << 20

// call is one request under way.
type call struct {
	r      *http.Request
	params params
	log    *logged
}

// reply is an answer before it is written: body is marshalled as JSON, unless raw is set.
type reply struct {
	status int
	body   any
	header http.Header
	raw    []byte
}

type handler func(*call) reply

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// serve wraps a handler of the API: call log, then faults, then limit, token and the handler itself.
func (s *Server) serve(route string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		p, err := readParams(w, r)
		c := &call{r: r, params: p}
		c.log = s.calls.begin(s.describe(start, route, c))
		f := s.faults.take(route, r.Method+" "+r.URL.Path, s.faultKeys(c))
		c.log.set(func(e *Call) { e.Fault = f.String() })

		answer := func() reply { return s.answer(c, h, err) }
		rep, sent := s.withFault(c, f, answer)
		if !sent {
			s.finish(c, start, 0)
			cut(w)
			return
		}
		s.finish(c, start, rep.status)
		rep.write(w)
	})
}

// answer runs what the real API would run.
func (s *Server) answer(c *call, h handler, paramsErr error) reply {
	if rep, refused := s.admit(c); refused {
		return rep
	}
	if paramsErr != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](paramsErr); tooLarge {
			return plainFailure(http.StatusRequestEntityTooLarge)
		}
		return failure(http.StatusBadRequest, "bad_request", "Invalid parameters")
	}
	return h(c)
}

// admit checks token, impersonation and limit.
func (s *Server) admit(c *call) (reply, bool) {
	token, _ := accessToken(c)
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.Token)) != 1 {
		return failure(http.StatusUnauthorized, "unauthorized", "Invalid or missing access token"), true
	}
	if id := c.params.get("impersonated_user_id"); id != "" && id != s.user {
		return failure(http.StatusBadRequest, "bad_request", "You can't impersonate this user"), true
	}
	wait, allowed := s.rate.allow()
	if allowed {
		return reply{}, false
	}
	rep := rateLimited()
	switch s.cfg.RetryAfter {
	case RetryAfterSeconds:
		seconds := (wait + time.Second - 1) / time.Second
		rep.header = http.Header{"Retry-After": {strconv.Itoa(int(seconds))}}
	case RetryAfterDate:
		at := s.now().Add(wait + time.Second).UTC() // a date has whole seconds: round up
		rep.header = http.Header{"Retry-After": {at.Format(http.TimeFormat)}}
	case RetryAfterNone:
	}
	return rep, true
}

// accessToken returns the token and where it stood: bearer, parameter or none.
func accessToken(c *call) (token, where string) {
	if scheme, t, found := strings.Cut(c.r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(t), "bearer"
	}
	if t := c.params.get("access_token"); t != "" {
		return t, "parameter"
	}
	return "", "none"
}

func (s *Server) finish(c *call, start time.Time, status int) {
	e := c.log.set(func(e *Call) {
		e.Status, e.Done, e.Took = status, true, Duration(s.now().Sub(start))
	})
	s.calls.count(e)
	s.logger.Debug("sandbox call", "method", e.Method, "path", e.Path, "status", e.Status, "fault", e.Fault,
		"content_id", e.ContentID, "took", time.Duration(e.Took))
}

func (r reply) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	maps.Copy(h, r.header)
	out := r.raw
	if out == nil {
		var err error
		if out, err = json.Marshal(r.body); err != nil {
			http.Error(w, "sandbox: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(out) // the client may be gone; the call log has it
}
