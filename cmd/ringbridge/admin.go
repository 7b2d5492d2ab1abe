package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ringbridge/ringbridge/internal/health"
	"github.com/ringbridge/ringbridge/internal/secret"
)

// adminDeps is what the private listener shows.
type adminDeps struct {
	Token    secret.String // "" = everybody who reaches the listener may look
	Board    *health.Board
	Gatherer prometheus.Gatherer
	Stages   func() []stageState
	Logger   *slog.Logger
}

// newAdmin returns the private listener's handler:
//
//	/livez /healthz   200 while the process lives, whatever else is wrong
//	/readyz           200, or 503; the reasons in either case
//	/metrics          Prometheus
//	/                 the status page
//
// With a token, all but the first three want it as a Bearer.
func newAdmin(deps adminDeps) http.Handler {
	r := chi.NewRouter()
	alive := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }
	r.Get("/livez", alive)
	r.Get("/healthz", alive)
	r.Get("/readyz", ready(deps.Board))
	r.Group(func(r chi.Router) {
		r.Use(bearer(deps.Token))
		r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(deps.Gatherer, promhttp.HandlerOpts{
			ErrorLog: slog.NewLogLogger(deps.Logger.Handler(), slog.LevelWarn),
		}))
		r.Method(http.MethodGet, "/", newStatusPage(deps))
	})
	return r
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

// bearer lets through who knows the token; everybody when there is none. The
// comparison takes the same time wherever the first difference is, and whatever
// the lengths are.
func bearer(token secret.String) func(http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token.Reveal()))
	return func(next http.Handler) http.Handler {
		if token.Reveal() == "" {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			got := sha256.Sum256([]byte(strings.TrimSpace(given)))
			if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
				w.Header().Set("WWW-Authenticate", `Bearer realm="ringbridge"`)
				http.Error(w, "ADMIN_TOKEN wanted, as Authorization: Bearer", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
