package console

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/internal/health"
	"github.com/ringbridge/ringbridge/internal/secret"
)

// Deps is what the console shows from the first moment on.
type Deps struct {
	Version, Account string
	// Token is wanted by every page where it is set.
	Token secret.String
	// Addr is the listener's address as it was configured. Without a token only
	// requests that name this host, or this machine, are answered.
	Addr string
	// MaskText replaces the customers' text on every page.
	MaskText bool

	Board    *health.Board
	Gatherer prometheus.Gatherer
	Stages   func() []Stage // safe for concurrent use
	// ParseTime reads the times that people write into forms.
	ParseTime TimeFunc
	Logger    *slog.Logger
}

// A Stage is a part of the process.
type Stage struct {
	Name, State, About string
}

// States of a stage.
const (
	Running = "running"
	Stopped = "stopped"
	Off     = "off"
)

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	deps     Deps
	started  time.Time
	pages    *pages
	sessions sessions
	logins   throttle
	bearers  throttle
	now      *shared[reading] // of the registry
	history  *history
	data     atomic.Pointer[Data] // nil until Connect

	unfinished *shared[[]Unfinished]
	tallies    tallies
	jobs       jobs
	feed       *feed
	finds      chan struct{} // a place for each search at work

	// work is carried out by Run, so that it ends with the process.
	work    chan func(context.Context)
	handler http.Handler
}

// New returns a console. Run keeps its history.
func New(deps Deps) *Console {
	c := &Console{
		deps: deps, started: time.Now(), pages: loadPages(), history: newHistory(), feed: newFeed(),
		finds: make(chan struct{}, maxFinds), work: make(chan func(context.Context)),
	}
	c.now = newShared(snapshotAge, func(context.Context) (reading, error) { return c.read(), nil })
	c.unfinished = newShared(snapshotAge, c.readUnfinished)
	c.handler = c.protect(c.routes())
	return c
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Guard puts the console's protection before something else that the listener
// serves: the check of the host, and the token.
func (c *Console) Guard(next http.Handler) http.Handler { return c.checkHost(c.authorize(next)) }

// routes are the pages. What is not guarded is what the login page needs.
func (c *Console) routes() http.Handler {
	guarded := http.NewServeMux()
	guarded.HandleFunc("GET /{$}", c.working)
	guarded.HandleFunc("GET /history.json", c.historyJSON)
	guarded.HandleFunc("GET /stuck", c.stuck)
	guarded.HandleFunc("GET /letters", c.letters)
	guarded.HandleFunc("GET /letters/{topic}/{partition}/{offset}", c.letter)
	guarded.HandleFunc("POST /letters/plans", c.plan)
	guarded.HandleFunc("GET /letters/plans/{id}", c.planned)
	guarded.HandleFunc("POST /letters/plans/{id}", c.carryOut)
	guarded.HandleFunc("GET /find", c.find)
	guarded.HandleFunc("GET /flow", c.flow)
	guarded.HandleFunc("POST /logout", c.logout)

	mux := http.NewServeMux()
	mux.Handle("GET /assets/", c.pages.assets)
	mux.HandleFunc("GET /login", c.loginPage)
	mux.HandleFunc("POST /login", c.login)
	mux.Handle("/", c.authorize(guarded))
	return mux
}

// Run keeps the history, and carries out what was asked for, until ctx ends. It
// returns when all of that has ended.
func (c *Console) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { c.sample(ctx) })
	group.Go(func() { c.feed.run(ctx, func() Timeline { return c.data.Load().Timeline }) })
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-c.work:
			group.Go(func() { do(ctx) })
		}
	}
}

// start has Run do something, and tells whether it does.
func (c *Console) start(ctx context.Context, do func(context.Context)) bool {
	select {
	case c.work <- do:
		return true
	case <-ctx.Done():
		return false
	}
}
