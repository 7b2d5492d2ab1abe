package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Bounds on a connection, against clients that are slow by mistake or on
// purpose.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second // a body of HTTP_MAX_BODY over a poor line
	writeTimeout      = time.Minute      // longer than the slowest answer, a webhook's 10 s
	idleTimeout       = 2 * time.Minute  // between two requests of one connection
	maxHeaderBytes    = 64 << 10
)

// retryAfterStart is what a sender is told while the bridge starts, in seconds.
const retryAfterStart = "5"

// httpListener is one HTTP server on one address.
type httpListener struct {
	addr   string // as it was opened: with the port that :0 became
	server *http.Server
}

// listen opens the address and serves the handler until it is stopped.
func listen(ctx context.Context, name, addr string, handler http.Handler, logger *slog.Logger) (*httpListener, error) {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l := &httpListener{
		addr: socket.Addr().String(),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(logger.With("listener", name).Handler(), slog.LevelDebug),
		},
	}
	go func() {
		if err := l.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("listener ended", "listener", name, "error", err)
		}
	}()
	return l, nil
}

// drain takes nothing new in and waits for what is being answered.
func (l *httpListener) drain(ctx context.Context) error { return l.server.Shutdown(ctx) }

// stop ends it at once.
func (l *httpListener) stop(context.Context) error { return l.server.Close() }

// lateHandler answers 503 until the handler behind it is there: the address is
// open before the broker is, so that a sender hears "later" instead of nothing.
type lateHandler struct{ handler atomic.Pointer[http.Handler] }

func (h *lateHandler) set(handler http.Handler) { h.handler.Store(&handler) }

// ServeHTTP implements http.Handler.
func (h *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := h.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", retryAfterStart)
	http.Error(w, "starting", http.StatusServiceUnavailable)
}
