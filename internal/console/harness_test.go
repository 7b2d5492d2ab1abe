package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/internal/console"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/health"
	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/internal/secret"
	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What customers have written, and what no page may run.
const (
	customers = "Where is my parcel, Ann Smith?"
	hostile   = `"><script>alert(1)</script>`
)

// bench is a console with a browser before it.
type bench struct {
	t       *testing.T
	console *console.Console
	board   *health.Board
	metrics *prometheus.Registry
	log     *logged
	browser *http.Client
	base    string
}

// set makes a console; with changes the caller changes what it is made of.
func set(t *testing.T, changes ...func(*console.Deps)) *bench {
	t.Helper()
	b := &bench{t: t, board: &health.Board{}, metrics: prometheus.NewRegistry(), log: &logged{}}
	deps := console.Deps{
		Version: "v1", Account: "acme", Addr: "127.0.0.1:9090", Board: b.board, Gatherer: b.metrics,
		ParseTime: func(text string, now time.Time) (time.Time, error) {
			d, err := time.ParseDuration(text)
			return now.Add(-d), err
		},
		Stages: func() []console.Stage {
			return []console.Stage{{Name: "publish", State: console.Running, About: "turns the inbox into events"}, {Name: "consume", State: console.Running, About: "carries out replies"}}
		},
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, change := range changes {
		change(&deps)
	}
	b.console = console.New(deps)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.console.Run(ctx)
	}()
	server := httptest.NewServer(b.console)
	t.Cleanup(func() { server.Close(); cancel(); <-done })
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b.base = server.URL
	b.browser = &http.Client{Jar: jar, Transport: server.Client().Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// logged is what several goroutines have logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// theToken is wanted by consoles that are guarded.
const theToken = "t0k"

func guarded(d *console.Deps) { d.Token = secret.String(theToken) }

func masked(d *console.Deps) { d.MaskText = true }

// answer is what the browser is shown.
type answer struct {
	code   int
	body   string
	header http.Header
}

func (b *bench) ask(method, path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	require.NoError(b.t, err)
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.browser.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, string(content), response.Header}
}

func (b *bench) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.ask(http.MethodGet, path, nil, headers...)
}

func (b *bench) post(path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	return b.ask(http.MethodPost, path, form, headers...)
}

// fakeData is what is behind Kafka.
type fakeData struct {
	text      string // the customers', in every record
	plans     atomic.Int32
	sent      atomic.Int32
	discarded atomic.Int32
	by        atomic.Value
	hold      chan struct{} // where set, actions wait for it
	err       error
}

func (f *fakeData) connect(b *bench) {
	b.console.Connect(console.Data{
		Letters: f, Shelf: f, Timeline: f,
		Unfinished: func() []console.Unfinished {
			return []console.Unfinished{{
				CommandID: "cmd-1", Conversation: "conv-1", Action: "CreateContent", API: "engage", IssuedAt: time.Now().Add(-5 * time.Minute),
				Attempts: 3, Next: time.Now().Add(time.Minute), Doing: "waiting for its next try", LastError: "503 " + hostile, LastStatus: 503, Behind: 2,
			}}
		},
		Lag: func(context.Context) ([]console.Lag, error) {
			return []console.Lag{{Topic: "inbox", Records: 1234}, {Topic: "replies", Records: 5}}, nil
		},
	})
}

func (f *fakeData) letter(offset int64) letters.Letter {
	return letters.Letter{
		Position: letters.Position{Partition: 3, Offset: offset}, Key: "conv-" + hostile, CommandID: "cmd-1", State: letters.Waiting,
		Info: deadletter.Letter{Reason: deadletter.Forbidden, FailedAt: time.Now().Add(-time.Hour), Attempts: 1, HTTPStatus: 403, Message: "403: " + hostile},
	}
}

func (f *fakeData) Page(choice letters.Choice, after *letters.Position, limit int) ([]letters.Line, int, letters.Histogram, bool) {
	const all = 250
	var lines []letters.Line
	first := int64(all)
	if after != nil {
		first = after.Offset
	}
	for offset := first - 1; offset >= 0 && len(lines) < limit; offset-- {
		l := f.letter(offset)
		lines = append(lines, letters.Line{
			Position: l.Position, At: l.Info.FailedAt, Reason: l.Info.Reason, Conversation: l.Key, CommandID: l.CommandID, Attempts: 1,
			HTTPStatus: 403, Message: l.Info.Message, State: l.State,
		})
	}
	matching, byReason := all, letters.Histogram{deadletter.Forbidden: 240, deadletter.Expired: 10}
	if len(choice.Reasons) > 0 {
		matching = byReason[choice.Reasons[0]]
	}
	return lines, matching, byReason, true
}

func (f *fakeData) Plan(_ context.Context, action letters.Action, choice letters.Choice, each func(letters.Step) error) (*letters.Plan, error) {
	f.plans.Add(1)
	skipped := f.letter(9)
	skipped.State = letters.Succeeded
	if err := each(letters.Step{Letter: skipped}); err != nil {
		return nil, err
	}
	return &letters.Plan{
		Action: action, Choice: choice, Letters: letters.Histogram{deadletter.Forbidden: 2, deadletter.Ambiguous: 1},
		Others: map[letters.State]int{letters.Succeeded: 1},
	}, f.err
}

func (f *fakeData) SendBack(ctx context.Context, plan *letters.Plan, by string, each func(letters.Letter)) (int, error) {
	return f.act(ctx, &f.sent, plan, by, each)
}

func (f *fakeData) Discard(ctx context.Context, plan *letters.Plan, by string, each func(letters.Letter)) (int, error) {
	return f.act(ctx, &f.discarded, plan, by, each)
}

func (f *fakeData) act(ctx context.Context, times *atomic.Int32, plan *letters.Plan, by string, each func(letters.Letter)) (int, error) {
	times.Add(1)
	f.by.Store(by)
	each(f.letter(0))
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return 1, ctx.Err()
		}
	}
	return plan.Letters.Total(), nil
}

func (f *fakeData) Show(_ context.Context, choice letters.Choice, each func(letters.Whole) error) error {
	if choice.Which[0] == "3/404" {
		return nil
	}
	if choice.Which[0] == "3/500" {
		return errors.New("brokers are away " + hostile)
	}
	reason, status := "forbidden", 403
	whole := letters.Whole{
		Letter: f.letter(7),
		Record: &kgo.Record{Value: []byte(`{"text":"` + f.text + `"}`), Headers: []kgo.RecordHeader{
			{Key: "ringbridge.dlq.reason", Value: []byte("forbidden")}, {Key: "shop.note", Value: []byte(f.text)}, {Key: hostile, Value: []byte{0, 1, 0xff}},
		}},
		Results: []schemas.ReplyResult{{CommandID: "cmd-1", State: schemas.ReplyStateDeadLettered, Reason: &reason, HTTPStatus: &status, Attempts: 1, At: time.Now()}},
	}
	if choice.Source == letters.Replies {
		whole.Command = &schemas.ReplyCommand{CommandID: "cmd-1", Action: &schemas.CreateContent{Body: f.text}}
	}
	return each(whole)
}

func (f *fakeData) moment(n int) timeline.Moment {
	return timeline.Moment{
		At: time.Now(), Kind: timeline.Event, Topic: "contents", Offset: int64(n), Title: fmt.Sprintf("content.imported %d %s", n, hostile),
		Conversation: "conv-1", ResourceID: "content-1", Record: map[string]any{"event_id": "e1", "content": map[string]any{"body": f.text, "id": "content-1"}},
	}
}

func (f *fakeData) Find(context.Context, timeline.Query) (timeline.Story, error) {
	return timeline.Story{Moments: []timeline.Moment{f.moment(1), f.moment(2)}, Complete: false, SearchedFrom: time.Now().Add(-time.Hour)}, f.err
}

func (f *fakeData) Follow(ctx context.Context, _ []string, each func(timeline.Moment, int)) error {
	for n := range 3 {
		each(f.moment(n), n)
	}
	<-ctx.Done()
	return nil
}
