package webhook

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// retryAfter is what a sender is told that came while the inbox could not be
// written. The real one has a schedule of its own; others find it a fair wait.
const retryAfter = 10 * time.Second

// An answer is what a request gets and what is told of it.
type answer struct {
	status  int
	header  [2]string // one more: name and value
	body    string
	result  result
	events  int   // taken in
	letters int   // written instead
	bytes   int   // of the body
	err     error // why not, safe to log
}

// serve turns a handler into HTTP: the answer, one log line, the metrics, and 500
// for a panic.
func (r *Receiver) serve(at endpoint, handle func(*http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		a := r.safely(handle, w, req)
		took := time.Since(start)
		respond(w, at, a)
		r.metrics.saw(at, a, took)
		r.record(req, at, a, took)
	}
}

func (r *Receiver) safely(handle func(*http.Request) answer, w http.ResponseWriter, req *http.Request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("webhook handler panicked", "panic", p, "stack", string(debug.Stack()))
			a = answer{status: http.StatusInternalServerError, result: panicked}
		}
	}()
	req.Body = http.MaxBytesReader(w, req.Body, r.maxBody)
	return handle(req)
}

func respond(w http.ResponseWriter, at endpoint, a answer) {
	header := w.Header()
	header.Set("Content-Type", at.contentType())
	if a.header[0] != "" {
		header.Set(a.header[0], a.header[1])
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if a.status == http.StatusServiceUnavailable {
		header.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body)) // a sender that is gone will come again
}

// contentType is what the sender wants to see, also on an answer without a body:
// the platform takes no other for a sign of life.
func (e endpoint) contentType() string {
	if e == platform {
		return contentType
	}
	return "text/plain; charset=utf-8"
}

// record writes the one line of a request. Nothing of the body or of a credential
// is in it.
func (r *Receiver) record(req *http.Request, at endpoint, a answer, took time.Duration) {
	attrs := []any{
		slog.String("endpoint", string(at)), slog.String("method", req.Method), slog.Int("status", a.status), slog.String("result", string(a.result)),
		slog.Int("events", a.events), slog.Int("letters", a.letters), slog.Int("bytes", a.bytes), slog.Duration("duration", took),
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	kind := warning{at, a.result}
	switch {
	case a.result == handshake:
		r.log.Info("webhook", attrs...)
	case a.result == accepted && a.letters > 0:
		r.warn(kind, req, "webhook accepted, a part of it dead-lettered", attrs)
	case a.result == accepted, a.result == panicked:
		r.log.Debug("webhook", attrs...)
	case a.result == deadLettered:
		r.warn(kind, req, "webhook accepted, all of it dead-lettered", attrs)
	default:
		r.warn(kind, req, "webhook refused", attrs)
	}
}

// A warning is a kind of them.
type warning struct {
	at     endpoint
	result result
}

// warn writes a line, or counts it for the next one of its kind: strangers come a thousand times a
// second.
func (r *Receiver) warn(kind warning, req *http.Request, message string, attrs []any) {
	if suppressed, ok := r.warnings.Allow(kind); ok {
		attrs = append(attrs, slog.String("remote", req.RemoteAddr), slog.Int("suppressed", suppressed))
		r.log.Warn(message, attrs...) //nolint:sloglint // its callers give constants
	}
}
