package sandbox

import (
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// withFault runs a call under a fault, nil for none. sent is false when the connection is to be cut instead of answered.
func (s *Server) withFault(c *call, f *hit, answer func() reply) (rep reply, sent bool) {
	if f == nil {
		return answer(), true
	}
	if f.after {
		rep = answer()
		s.sleep(time.Duration(f.Delay))
		return s.spoil(c, f, rep)
	}
	s.sleep(time.Duration(f.Delay))
	if f.Reset == "" && !f.Hang && f.status == 0 {
		return answer(), true // only delayed
	}
	return s.spoil(c, f, reply{})
}

// spoil replaces an answer by what the fault says.
func (s *Server) spoil(c *call, f *hit, rep reply) (reply, bool) {
	switch {
	case f.Hang:
		select {
		case <-c.r.Context().Done():
		case <-s.ctx.Done():
		}
		return reply{}, false
	case f.Reset != "":
		return reply{}, false
	case f.status == 0:
		return rep, true
	}
	return f.reply(c.api), true
}

// reply is the answer a fault asks for.
func (f *hit) reply(api dialect) reply {
	rep := api.refusal(f.status)
	rep.header = http.Header{}
	if f.RetryAfter != "" {
		rep.header.Set("Retry-After", f.RetryAfter)
	}
	if len(f.Body) == 0 {
		return rep
	}
	rep.raw = f.Body
	var text string
	if json.Unmarshal(f.Body, &text) == nil {
		rep.raw = []byte(text)
		if !json.Valid(rep.raw) {
			rep.header.Set("Content-Type", "text/html; charset=utf-8") // as from a proxy
		}
	}
	return rep
}

// sleep waits, whatever the client does; Close ends it.
func (s *Server) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

// cut ends the connection without an answer: with a TCP reset where there is one, else as net/http aborts.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, is := conn.(*net.TCPConn); is {
		_ = tcp.SetLinger(0) // makes Close send RST; without it the client reads a clean end
	}
	_ = conn.Close()
}
