package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/health"
)

// adminDeps is what the private listener serves.
type adminDeps struct {
	Console  *console.Console
	Board    *health.Board
	Gatherer prometheus.Gatherer
	Logger   *slog.Logger
}

// newAdmin returns the private listener's handler:
//
//	/livez /healthz   200 while the process lives, whatever else is wrong
//	/readyz           200, or 503; the reasons in either case
//	/metrics          Prometheus
//	/                 the console
//
// With a token, all but the first three want it: as a Bearer, or by the console's
// login.
func newAdmin(deps adminDeps) http.Handler {
	mux := http.NewServeMux()
	alive := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }
	mux.HandleFunc("GET /livez", alive)
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", ready(deps.Board))
	mux.Handle("GET /metrics", deps.Console.Guard(promhttp.HandlerFor(deps.Gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(deps.Logger.Handler(), slog.LevelWarn),
	})))
	mux.Handle("/", deps.Console)
	return mux
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready   bool              `json:"ready"`
	Reasons []readinessReason `json:"reasons"`
}

type readinessReason struct {
	Component string `json:"component"`
	Reason    string `json:"reason"`
}

func ready(board *health.Board) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer := readiness{Reasons: []readinessReason{}}
		for _, r := range board.Reasons() {
			answer.Reasons = append(answer.Reasons, readinessReason{Component: r.Component, Reason: r.Reason})
		}
		answer.Ready = board.Ready() // there can be reasons that do not matter for it
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !answer.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}
