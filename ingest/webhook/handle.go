package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// HeaderSecret carries the webhook's secret, in clear, on every request.
const HeaderSecret = "X-Dimelo-Secret"

// What a refused request lacked: for the log, never for the answer.
var (
	errSecret    = errors.New("wrong or missing " + HeaderSecret)
	errNoSecret  = errors.New("ENGAGE_WEBHOOK_SECRET is not set")
	errToken     = errors.New("wrong or missing hub.verify_token")
	errHandshake = errors.New("a handshake needs hub.mode=subscribe and hub.challenge")
)

// verify answers the handshake by which a webhook is switched on. What is
// configured must be right: the secret comes on this request too, and a handshake
// without it would switch on a webhook whose events are all refused.
func (r *Receiver) verify(req *http.Request) answer {
	query := req.URL.Query()
	switch {
	case len(r.secrets) > 0 && !r.secrets.accept(req.Header.Get(HeaderSecret)):
		return refused(http.StatusUnauthorized, unauthorized, errSecret)
	case len(r.tokens) > 0 && !r.tokens.accept(query.Get("hub.verify_token")):
		return refused(http.StatusUnauthorized, unauthorized, errToken)
	case query.Get("hub.mode") != "subscribe" || query.Get("hub.challenge") == "":
		return refused(http.StatusBadRequest, badRequest, errHandshake)
	}
	return answer{status: http.StatusOK, body: query.Get("hub.challenge"), result: handshake}
}

// receive takes a request's events in. Who sends is asked before anything is read.
func (r *Receiver) receive(req *http.Request) answer {
	if len(r.secrets) == 0 {
		return refused(http.StatusUnauthorized, unauthorized, errNoSecret)
	}
	if !r.secrets.accept(req.Header.Get(HeaderSecret)) {
		return refused(http.StatusUnauthorized, unauthorized, errSecret)
	}
	return r.traced(req, func(trace string) answer { return r.take(req, trace, Split) })
}

// take reads the body of a request whose sender is known, and keeps what split
// finds in it, with its trace.
func (r *Receiver) take(req *http.Request, trace string, split splitFunc) answer {
	if req.ContentLength > r.maxBody {
		return refused(http.StatusRequestEntityTooLarge, tooLarge, &http.MaxBytesError{Limit: r.maxBody})
	}
	data, err := io.ReadAll(req.Body)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return refused(http.StatusRequestEntityTooLarge, tooLarge, err)
	}
	if err != nil {
		return refused(http.StatusBadRequest, badRequest, err)
	}
	body := Body{
		Bytes: data, Type: req.Header.Get(deadletter.HeaderContentType),
		Encoding: strings.Join(req.Header.Values(deadletter.HeaderContentEncoding), ","),
	}
	parts, wrong := split(body, r.maxBody)
	var a answer
	switch {
	case wrong == nil:
		a = r.keep(req.Context(), parts, trace)
	case TooLarge(wrong):
		a = refused(http.StatusRequestEntityTooLarge, tooLarge, wrong)
	default:
		a = r.giveUp(req.Context(), body, trace, wrong)
	}
	a.bytes = len(data)
	return a
}

// A splitFunc is Split or SplitNotifications.
type splitFunc func(b Body, limit int64) (Parts, error)

// keep puts the events into the inbox, and what stood among them into the dead letters.
func (r *Receiver) keep(ctx context.Context, parts Parts, trace string) answer {
	for i := range parts.Items {
		parts.Items[i].TraceParent = trace
	}
	for i := range parts.Rest {
		parts.Rest[i].TraceParent = trace
	}
	err := r.inbox.Accept(ctx, parts.Items...)
	if err == nil && len(parts.Rest) > 0 {
		err = r.inbox.Refuse(ctx, parts.Rest...)
	}
	if err != nil {
		return failed(err)
	}
	for _, extension := range parts.hints {
		r.hint(extension)
	}
	return answer{status: http.StatusOK, result: accepted, events: len(parts.Items), letters: len(parts.Rest), err: parts.fault}
}

// giveUp puts the bytes as received into the dead letters, with the headers by which they can be
// read again.
func (r *Receiver) giveUp(ctx context.Context, body Body, trace string, wrong error) answer {
	refusal := ingest.Refusal{Body: body.Bytes, Message: wrong.Error(), TraceParent: trace}
	for name, value := range map[string]string{deadletter.HeaderContentType: body.Type, deadletter.HeaderContentEncoding: body.Encoding} {
		if value != "" {
			refusal.Headers = append(refusal.Headers, ingest.Header{Name: name, Value: value})
		}
	}
	if err := r.inbox.Refuse(ctx, refusal); err != nil {
		return failed(err)
	}
	return answer{status: http.StatusOK, result: deadLettered, letters: 1, err: wrong}
}

// failed is the answer when the inbox did not take it: all will come again, and
// what is there already is told from the rest behind the inbox.
func failed(err error) answer { return refused(http.StatusServiceUnavailable, unavailable, err) }

func refused(status int, r result, err error) answer {
	return answer{status: status, result: r, err: err}
}
