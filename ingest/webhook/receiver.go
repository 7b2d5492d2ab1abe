package webhook

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/ingest"
)

// Path is where Engage Digital sends its webhooks.
const Path = "/webhooks/engage"

// An Inbox keeps what came in. It is used by many requests at once; both methods
// return nil only for what is safe, and return within seconds.
type Inbox interface {
	// Accept keeps the items; see ingest.Inbox for its errors.
	Accept(ctx context.Context, items ...ingest.Item) error
	// Refuse keeps bytes that no parser understands.
	Refuse(ctx context.Context, refusal ingest.Refusal) error
}

// Deps are what a Receiver uses of its surroundings.
type Deps struct {
	Inbox      Inbox
	Logger     *slog.Logger          // nil = silence
	Registerer prometheus.Registerer // nil = unregistered
}

// A Receiver is the handler of the public listener: its one path, and nothing
// else. Time-outs of reading and idling are the server's to set.
type Receiver struct {
	router   http.Handler
	inbox    Inbox
	maxBody  int64
	tokens   credentials
	secrets  credentials
	log      *slog.Logger
	warnings *warnings
	metrics  *metrics
}

// New returns a Receiver for cfg, which must be valid.
func New(deps Deps, cfg Config) *Receiver {
	log := deps.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Receiver{
		inbox:    deps.Inbox,
		maxBody:  cfg.MaxBody,
		tokens:   newCredentials(cfg.VerifyToken),
		secrets:  newCredentials(cfg.Secret),
		log:      log,
		warnings: &warnings{log: log},
		metrics:  newMetrics(deps.Registerer),
	}
	router := chi.NewRouter()
	if cfg.Enabled() {
		router.Get(Path, r.serve(r.verify))
		router.Post(Path, r.serve(r.receive))
	}
	if cfg.Enabled() && len(r.secrets) == 0 {
		log.Warn("webhooks are refused, only their handshake works: nobody could tell who sent them; set ENGAGE_WEBHOOK_SECRET")
	}
	r.router = router
	return r
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.router.ServeHTTP(w, req) }
