package sandbox

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request's body. It leaves room for an attachment; the API documents no limit.
const maxBody = 16 << 20

// call is one request under way.
type call struct {
	r      *http.Request
	api    dialect
	params params
	log    *logged
	leave  func() // undoes what dialect.arrive began

	// What the platform's calls bring besides parameters.
	body    []byte  // the JSON, also of a multipart request
	files   []part  // of a multipart request
	refused verdict // of the rate group, judged when the call arrived

	odd []*oddity // the quirks that apply to it
}

// dialect is what the simulated APIs have of their own in how a call is read, admitted and refused.
type dialect interface {
	// read reads parameters and body. Its error is answered as a bad request.
	read(w http.ResponseWriter, c *call) error
	// describe completes the call log's entry.
	describe(c *call, e *Call)
	// value gives a fault a parameter of the call by name.
	value(c *call, name string) string
	// arrive is told of each call before any fault; what it returns runs once, when the call ends.
	arrive(c *call) (leave func())
	// admit checks token and limits.
	admit(c *call) (reply, bool)
	// refusal is the API's own body for a status.
	refusal(status int) reply
}

// reply is an answer before it is written: body is marshalled as JSON, unless raw is set.
type reply struct {
	status int
	body   any
	header http.Header
	raw    []byte
}

type handler func(*call) reply

// ok is called while the account is locked, and writes the body there: its rows go on changing once the lock is gone.
func ok(body any) reply {
	raw, err := json.Marshal(body)
	if err != nil {
		return reply{status: http.StatusInternalServerError, body: "sandbox: " + err.Error()}
	}
	return reply{status: http.StatusOK, raw: raw}
}

// serve wraps a handler of an API: call log, then faults, then limit, token and the handler itself.
func (s *Server) serve(api dialect, route string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		c := &call{r: r, api: api}
		err := api.read(w, c)
		c.log = s.calls.begin(s.describe(start, route, c))
		c.leave = api.arrive(c)
		var f *hit
		f, c.odd = s.faults.take(route, r.Method+" "+r.URL.Path, func(name string) string { return api.value(c, name) })
		c.log.set(func(e *Call) { e.Fault = strings.TrimSpace(strings.Join(append(quirkNames(c.odd), f.String()), " ")) })

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
	if rep, refused := c.api.admit(c); refused {
		return rep
	}
	if paramsErr != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](paramsErr); tooLarge {
			return c.api.refusal(http.StatusRequestEntityTooLarge)
		}
		return c.api.refusal(http.StatusBadRequest)
	}
	return c.quirked(h)
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
	c.leave()
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
	if r.status == http.StatusNoContent {
		h.Del("Content-Type")
		out = nil
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(out) // the client may be gone; the call log has it
}
