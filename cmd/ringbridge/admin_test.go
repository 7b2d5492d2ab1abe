package main_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
	"github.com/ringbridge/ringbridge/internal/health"
)

// ask sends a GET to the private listener.
func ask(handler http.Handler, path, authorization string) (int, string, http.Header) {
	request := httptest.NewRequest(http.MethodGet, "http://localhost:9090"+path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	body, _ := io.ReadAll(answer.Body)
	return answer.Code, string(body), answer.Header()
}

func admin(token string, board *health.Board) http.Handler {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ringbridge_webhook_requests_total", Help: "Requests."}, []string{"result"})
	last := prometheus.NewGauge(prometheus.GaugeOpts{Name: "ringbridge_webhook_last_accepted_timestamp_seconds", Help: "When."})
	registry.MustRegister(requests, last)
	requests.WithLabelValues("accepted").Add(41)
	requests.WithLabelValues("refused")
	last.Set(float64(time.Now().Add(-3 * time.Minute).Unix()))
	return ringbridge.Admin(token, board, registry, slog.New(slog.DiscardHandler))
}

func TestReadinessTellsItsReasons(t *testing.T) {
	board := &health.Board{}
	handler := admin("", board)
	code, body, _ := ask(handler, "/readyz", "")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"ready": true, "reasons": []}`, body)

	board.Set("poll", "401")
	board.Set("kafka", "unreachable")
	code, body, _ = ask(handler, "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.JSONEq(t, `{"ready": false, "reasons": [{"component": "kafka", "reason": "unreachable"}, {"component": "poll", "reason": "401"}]}`, body)
}

func TestLivenessIsTheProcessAlone(t *testing.T) {
	board := &health.Board{}
	board.Set("kafka", "unreachable")
	for _, path := range []string{"/livez", "/healthz"} {
		code, _, _ := ask(admin("", board), path, "")
		require.Equal(t, http.StatusOK, code, path)
	}
}

func TestTheTokenGuardsAllButLivenessAndReadiness(t *testing.T) {
	for fact, test := range map[string]struct {
		token, path, authorization string
		want                       int
	}{
		"metrics without one":            {token: "t0k", path: "/metrics", want: 401},
		"metrics with another":           {token: "t0k", path: "/metrics", authorization: "Bearer t0", want: 401},
		"metrics with a longer":          {token: "t0k", path: "/metrics", authorization: "Bearer t0kk", want: 401},
		"metrics with it":                {token: "t0k", path: "/metrics", authorization: "Bearer t0k", want: 200},
		"the scheme in small letters":    {token: "t0k", path: "/metrics", authorization: "bearer t0k", want: 200},
		"another scheme":                 {token: "t0k", path: "/metrics", authorization: "Basic t0k", want: 401},
		"the token without a scheme":     {token: "t0k", path: "/metrics", authorization: "t0k", want: 401},
		"an empty token":                 {token: "t0k", path: "/metrics", authorization: "Bearer ", want: 401},
		"the page without one":           {token: "t0k", path: "/", want: 401},
		"the page with it":               {token: "t0k", path: "/", authorization: "Bearer t0k", want: 200},
		"in the query":                   {token: "t0k", path: "/metrics?token=t0k", want: 401},
		"liveness needs none":            {token: "t0k", path: "/livez", want: 200},
		"its alias needs none":           {token: "t0k", path: "/healthz", want: 200},
		"readiness needs none":           {token: "t0k", path: "/readyz", want: 200},
		"nothing is guarded when unset":  {path: "/metrics", want: 200},
		"what does not exist is nowhere": {token: "t0k", path: "/debug/pprof/", authorization: "Bearer t0k", want: 404},
	} {
		t.Run(fact, func(t *testing.T) {
			code, body, _ := ask(admin(test.token, &health.Board{}), test.path, test.authorization)
			require.Equal(t, test.want, code)
			require.NotContains(t, body, "t0k")
		})
	}
}

func TestTheFirstPageOfTheConsole(t *testing.T) {
	board := &health.Board{}
	board.Set("kafka", `cannot reach <script>"x"`)
	code, body, header := ask(admin("", board), "/", "")
	require.Equal(t, http.StatusOK, code)
	for _, fact := range []string{"Not ready", "kafka", "cannot reach &lt;script&gt;", "turns the inbox into events", ">41<", `name="viewport"`} {
		require.Contains(t, body, fact)
	}
	require.Regexp(t, `>3 min( \d+ s)? ago<`, body)
	require.NotContains(t, body, "refused", "a counter of nothing tells nothing")
	require.NotContains(t, body, `<script>"x"`)
	require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe")
}
