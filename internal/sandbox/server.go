package sandbox

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is one simulated account. Make it with New; all methods are safe for concurrent use, and none blocks on the network
// but Register.
type Server struct {
	cfg    Config
	now    func() time.Time
	logger *slog.Logger
	ids    *idSource
	calls  *callLog
	faults *faultList
	rate   *rateWindow
	hooks  *hooks
	user   string // id of the token's user

	platform *Platform

	// ctx ends with Close: it frees hanging calls and deliveries.
	ctx    context.Context //nolint:containedctx // the server's life, not a call's
	cancel context.CancelFunc

	mu    sync.Mutex // guards state; taken before the locks inside hooks and ids, never after
	state *state
}

// New makes an account. It starts no goroutine; those that deliver webhooks start when there is something to deliver.
func New(cfg Config, deps Deps) *Server {
	cfg, deps = cfg.withDefaults(), deps.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	chance := newChance(cfg.Seed)
	s := &Server{
		cfg:    cfg,
		now:    deps.Now,
		logger: deps.Logger,
		ids:    newIDSource(deps.Now, cfg.Seed),
		calls:  newCallLog(),
		faults: newFaultList(chance),
		rate:   newRateWindow(cfg.RatePerMinute, deps.Now),
		ctx:    ctx,
		cancel: cancel,
	}
	s.user = s.ids.next()
	s.cfg.Sources = slices.Clone(cfg.Sources)
	for i := range s.cfg.Sources {
		s.cfg.Sources[i].ID = cmp.Or(s.cfg.Sources[i].ID, s.ids.next())
	}
	s.hooks = newHooks(ctx, hooksDeps{
		http: deps.HTTP, logger: deps.Logger, now: deps.Now, ids: s.ids, chance: chance,
	}, cfg)
	s.state = s.freshState()
	s.platform = newPlatform(s, cfg.Platform, deps.HTTP)
	return s
}

// Platform returns the simulated RingCentral platform of the same server.
func (s *Server) Platform() *Platform { return s.platform }

// Close ends deliveries and hanging calls and waits for the deliveries. The handler must not be served any longer.
func (s *Server) Close() {
	s.cancel()
	s.hooks.close()
	s.platform.notes.close()
}

// Reset forgets contents, threads, identities, messages, faults, calls and deliveries under way. Configuration, webhook,
// subscriptions and tokens stay; ids are never given twice.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = s.freshState()
	s.hooks.reset()
	s.faults.clear()
	s.calls.clear()
	s.rate.clear()
	s.platform.reset()
}

// UserID returns the id of the token's user: the creator_id of what the API makes.
func (s *Server) UserID() string { return s.user }

// Sources returns the channels configured, with their ids.
func (s *Server) Sources() []Source { return slices.Clone(s.cfg.Sources) }

// Handler returns both APIs, the attachments' bytes and the control surface.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	routes := map[string]handler{
		"GET /1.0/contents":             s.listContents,
		"GET /1.0/contents/{id}":        s.getContent,
		"POST /1.0/contents":            s.createContent,
		"GET /1.0/identities":           s.listIdentities,
		"GET /1.0/identities/{id}":      s.getIdentity,
		"GET /1.0/content_threads/{id}": s.getThread,
		"GET /1.0/interventions":        s.listInterventions,
		"GET /1.0/interventions/{id}":   s.getIntervention,
		"POST /1.0/interventions":       s.createIntervention,
		"POST /1.0/bots/handover":       s.handover,
		"GET /1.0/events":               s.listJournal,
		"POST /1.0/attachments":         s.createAttachment,
		"GET /1.0/attachments/{id}":     s.getAttachment,
		"GET /1.0/webhooks":             s.listWebhooks,
		"GET /attachments/{id}":         s.downloadAttachment,
		"/1.0/":                         func(*call) reply { return notFound("this address") },
	}
	for route, h := range routes {
		mux.Handle(route, s.serve(engage{s}, route, h))
	}
	s.platform.routes(mux)
	s.control(mux)
	return mux
}

// chance is a seeded source of random decisions, safe for concurrent use.
type chance struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newChance(seed uint64) *chance {
	return &chance{rng: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // repeatable on purpose
}

// hit is true with probability p.
func (c *chance) hit(p float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return p > 0 && c.rng.Float64() < p
}

// pick returns a number in [0, n).
func (c *chance) pick(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.IntN(n)
}
