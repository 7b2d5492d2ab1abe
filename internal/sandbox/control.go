package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// control adds the control surface; see the package documentation.
func (s *Server) control(mux *http.ServeMux) {
	handle := func(pattern string, h func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { respond(w, r, h) })
	}
	handle("POST /sandbox/contents", decoded(s.Import))
	handle("GET /sandbox/contents", func(*http.Request) (any, error) { return s.Contents(), nil })
	handle("POST /sandbox/contents/{id}", func(r *http.Request) (any, error) {
		return decoded(func(e Edit) (Content, error) { return s.Edit(r.PathValue("id"), e) })(r)
	})
	handle("POST /sandbox/identities", decoded(func(i Identity) (Identity, error) { return s.PutIdentity(i), nil }))
	handle("POST /sandbox/threads/{id}/close", onID(s.CloseThread))
	handle("POST /sandbox/threads/{id}/open", onID(s.OpenThread))
	handle("POST /sandbox/interventions", decoded(s.engageRequest))
	handle("POST /sandbox/interventions/{id}/close", onID(s.Disengage))
	handle("POST /sandbox/events", decoded(s.Emit))
	handle("POST /sandbox/faults", decoded(s.AddFault))
	handle("GET /sandbox/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	handle("DELETE /sandbox/faults", func(*http.Request) (any, error) { s.ClearFaults(); return done{true}, nil })
	handle("GET /sandbox/quirks", func(*http.Request) (any, error) { return Quirks(), nil })
	handle("GET /sandbox/calls", s.callsRequest)
	handle("POST /sandbox/webhook", s.registerRequest)
	handle("POST /sandbox/delivery", decoded(func(d Delivery) (Delivery, error) { s.SetDelivery(d); return d, nil }))
	handle("GET /sandbox/delivery", s.deliveryRequest)
	s.platform.control(handle)
	handle("DELETE /sandbox", func(*http.Request) (any, error) { s.Reset(); return done{true}, nil })
}

type done struct {
	Done bool `json:"done"`
}

func (s *Server) engageRequest(in struct {
	IdentityID string `json:"identity_id"`
},
) (Intervention, error) {
	return s.Engage(in.IdentityID)
}

func (s *Server) callsRequest(r *http.Request) (any, error) {
	since, err := number(r.FormValue("since"), 0)
	if err != nil {
		return nil, fmt.Errorf("%w: since is not a number", ErrInvalid)
	}
	return map[string]any{"calls": s.CallsSince(since), "counters": s.CallCounts()}, nil
}

func (s *Server) registerRequest(r *http.Request) (any, error) {
	var w Webhook
	if err := decode(r, &w); err != nil {
		return nil, err
	}
	if err := s.Register(r.Context(), w); err != nil {
		return nil, err
	}
	return done{true}, nil
}

func (s *Server) deliveryRequest(*http.Request) (any, error) {
	_, active := s.hooks.registration()
	counts, attempts := s.Deliveries()
	return map[string]any{
		"active": active, "delivery": s.hooks.delivery(), "counters": counts, "attempts": attempts,
	}, nil
}

// decoded makes a handler of a method that takes one JSON value.
func decoded[In, Out any](do func(In) (Out, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var in In
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		return do(in)
	}
}

// onID makes a handler of a method that takes the id of the path.
func onID(do func(string) error) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) { return done{true}, do(r.PathValue("id")) }
}

// decode refuses unknown fields, so that a misspelt one does not silently do nothing. An empty body is an empty object.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func respond(w http.ResponseWriter, r *http.Request, h func(*http.Request) (any, error)) {
	out, err := h(r)
	status := http.StatusOK
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, ErrInvalid):
		status = http.StatusBadRequest
	default: // a webhook that did not answer as it should
		status = http.StatusBadGateway
	}
	if err != nil {
		out = map[string]string{"error": err.Error()}
	}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		http.Error(w, strconv.Quote(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
