package webhook

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/lograte"
	"github.com/ringbridge/ringbridge/internal/tracing"
)

const (
	// Path is where Engage Digital sends its webhooks.
	Path = "/webhooks/engage"
	// PlatformPath is where the RingCentral platform sends its notifications.
	PlatformPath = "/webhooks/ringcentral"
)

// An Inbox keeps what came in. It is used by many requests at once; both methods
// return nil only for what is safe, and return within seconds.
type Inbox interface {
	// Accept keeps the items; see ingest.Inbox for its errors.
	Accept(ctx context.Context, items ...ingest.Item) error
	// Refuse keeps input that cannot be used, as dead letters.
	Refuse(ctx context.Context, refusals ...ingest.Refusal) error
}

// A HintFunc is told that something changed in the message store of an extension,
// once the notification is safe. extension is its id, or the account's where the
// notification names no extension; empty where it names neither. It is called
// while the sender waits, by many requests at once, so it must not block.
type HintFunc func(extension string)

// Deps are what a Receiver uses of its surroundings.
type Deps struct {
	Inbox      Inbox
	Hint       HintFunc              // nil = nobody follows the message store
	Logger     *slog.Logger          // nil = silence
	Registerer prometheus.Registerer // nil = unregistered
	Tracer     trace.Tracer          // nil = no spans
}

// A Receiver is the handler of the public listener: its two paths, and nothing
// else. Time-outs of reading and idling are the server's to set.
type Receiver struct {
	router   http.Handler
	inbox    Inbox
	hint     HintFunc
	maxBody  int64
	tokens   credentials // of Engage's handshake
	secrets  credentials // of Engage's webhooks
	platform credentials // of the platform's notifications
	log      *slog.Logger
	warnings lograte.Limiter[warning]
	metrics  *metrics
	tracer   trace.Tracer
}

// New returns a Receiver for cfg, which must be valid.
func New(deps Deps, cfg Config) *Receiver {
	log := deps.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if deps.Hint == nil {
		deps.Hint = func(string) {}
	}
	r := &Receiver{
		inbox:    deps.Inbox,
		hint:     deps.Hint,
		maxBody:  cfg.MaxBody,
		tokens:   newCredentials(cfg.VerifyToken),
		secrets:  newCredentials(cfg.Secret),
		platform: newCredentials(cfg.PlatformToken),
		log:      log,
		metrics:  newMetrics(deps.Registerer),
		tracer:   tracing.OrNoop(deps.Tracer),
	}
	router := chi.NewRouter()
	if cfg.EngageEnabled() {
		router.Get(Path, r.serve(engage, r.verify))
		router.Post(Path, r.serve(engage, r.receive))
	}
	if cfg.PlatformEnabled() {
		router.Post(PlatformPath, r.serve(platform, r.notify))
	}
	if cfg.EngageEnabled() && len(r.secrets) == 0 {
		log.Warn("webhooks of Engage Digital are refused, only their handshake works: nobody could tell who sent them; set ENGAGE_WEBHOOK_SECRET")
	}
	r.router = router
	return r
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.router.ServeHTTP(w, req) }
