package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"time"
)

// engage is the dialect of Engage Digital.
type engage struct{ s *Server }

func (e engage) read(w http.ResponseWriter, c *call) (err error) {
	c.params, err = readParams(w, c.r)
	return err
}

func (e engage) describe(c *call, entry *Call) {
	p := &c.params
	_, entry.Auth = accessToken(c)
	entry.InReplyToID, entry.SourceID, entry.Body = p.get("in_reply_to_id"), p.get("source_id"), p.get("body")
	entry.IdentityForeignID = p.get("identity_foreign_id")
	entry.ThreadID = e.s.threadOf(entry.InReplyToID)
}

func (e engage) value(c *call, name string) string {
	switch name {
	case "":
		return ""
	case "id":
		return c.r.PathValue("id")
	case "thread_id":
		return e.s.threadOf(c.params.get("in_reply_to_id"))
	}
	return c.params.joined(name)
}

func (e engage) arrive(*call) func() { return func() {} }

func (e engage) refusal(status int) reply {
	if status == http.StatusBadRequest {
		return failure(status, "bad_request", "Invalid parameters")
	}
	return plainFailure(status)
}

// admit checks token, impersonation and limit.
func (e engage) admit(c *call) (reply, bool) {
	s := e.s
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
	case RetryAfterNone, RetryAfterOff:
	}
	return rep, true
}
