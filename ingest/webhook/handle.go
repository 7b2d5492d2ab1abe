package webhook

import (
	"errors"
	"io"
	"net/http"

	"github.com/ringbridge/ringbridge/ingest"
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
//
// A Content-Encoding is no reason to refuse: the senders have none, and if they
// had, refused events would be lost while dead letters are not.
func (r *Receiver) take(req *http.Request, trace string, split func([]byte) ([]ingest.Item, error)) answer {
	if req.ContentLength > r.maxBody {
		return refused(http.StatusRequestEntityTooLarge, tooLarge, &http.MaxBytesError{Limit: r.maxBody})
	}
	body, err := io.ReadAll(req.Body)
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return refused(http.StatusRequestEntityTooLarge, tooLarge, err)
	}
	if err != nil {
		return refused(http.StatusBadRequest, badRequest, err)
	}
	items, wrong := split(body)
	a := r.keep(req, trace, body, items, wrong)
	a.bytes = len(body)
	return a
}

// keep puts the events into the inbox, or the whole, which is wrong, into the dead
// letters.
func (r *Receiver) keep(req *http.Request, trace string, body []byte, items []ingest.Item, wrong error) answer {
	if wrong != nil {
		if err := r.inbox.Refuse(req.Context(), refusal(req, body, trace, wrong)); err != nil {
			return failed(err)
		}
		return answer{status: http.StatusOK, result: deadLettered, err: wrong}
	}
	for i := range items {
		items[i].TraceParent = trace
	}
	if err := r.inbox.Accept(req.Context(), items...); err != nil {
		return failed(err)
	}
	return answer{status: http.StatusOK, result: accepted, events: len(items)}
}

func refusal(req *http.Request, body []byte, trace string, wrong error) ingest.Refusal {
	refusal := ingest.Refusal{Body: body, Message: wrong.Error(), TraceParent: trace}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if value := req.Header.Get(name); value != "" {
			refusal.Headers = append(refusal.Headers, ingest.Header{Name: name, Value: value})
		}
	}
	return refusal
}

// failed is the answer when the inbox did not take it: all will come again, and
// what is there already is told from the rest behind the inbox.
func failed(err error) answer {
	if errors.Is(err, ingest.ErrTooLarge) {
		return refused(http.StatusRequestEntityTooLarge, tooLarge, err)
	}
	return refused(http.StatusServiceUnavailable, unavailable, err)
}

func refused(status int, r result, err error) answer {
	return answer{status: status, result: r, err: err}
}
