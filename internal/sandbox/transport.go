package sandbox

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// Transport is an http.RoundTripper that calls Handler directly. It serves tests that may not open a socket, such as those in
// a testing/synctest bubble. A cut connection looks like a reset after the request was written. Safe for concurrent use.
type Transport struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper. When the request's context ends first, the handler goes on by itself.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	in.Body = http.NoBody
	if r.Body != nil {
		defer r.Body.Close()
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		in.Body = io.NopCloser(bytes.NewReader(data))
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		if trace.WroteHeaders != nil {
			trace.WroteHeaders()
		}
		if trace.WroteRequest != nil {
			trace.WroteRequest(httptrace.WroteRequestInfo{})
		}
	}
	out := &recorder{header: http.Header{}}
	finished := make(chan bool, 1)
	go func() { finished <- out.serve(t.Handler, in) }()
	select {
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	case whole := <-finished:
		if !whole {
			return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		}
		return out.response(r), nil
	}
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	once   sync.Once
	status int
	body   bytes.Buffer
}

// serve returns false when the handler cut the connection.
func (w *recorder) serve(h http.Handler, r *http.Request) (whole bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			whole = false
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return true
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) { w.once.Do(func() { w.status = status }) }

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *recorder) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
}
