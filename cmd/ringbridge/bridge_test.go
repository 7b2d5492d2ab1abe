package main_test

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/realparts"
	"github.com/ringbridge/ringbridge/schemas"
)

// running is a bridge on addresses that are known before it starts.
type running struct {
	*process
	public, private string
}

func freeAddress(t *testing.T) string {
	t.Helper()
	addr, err := realparts.FreeAddr(t.Context())
	require.NoError(t, err)
	return addr
}

// startBridge runs `run` with the environment.
func startBridge(t *testing.T, env map[string]string, args ...string) *running {
	t.Helper()
	r := &running{public: freeAddress(t), private: freeAddress(t)}
	all := maps.Clone(env)
	all["HTTP_ADDR"], all["ADMIN_ADDR"], all["ENGAGE_WEBHOOK_SECRET"] = r.public, r.private, "s3cret"
	r.process = start(t, all, append([]string{"run"}, args...)...)
	return r
}

// call makes one request on a connection of its own; it returns status 0 while
// nobody listens.
func call(t *testing.T, method, url string, body string) (status int, answer string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	client := http.Client{Timeout: 30 * time.Second}
	request.Close = true
	request.Header.Set("X-Dimelo-Secret", "s3cret")
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(content), response.Header
}

func (r *running) readyz(t *testing.T) (status int, reasons string) {
	t.Helper()
	status, reasons, _ = call(t, http.MethodGet, "http://"+r.private+"/readyz", "")
	return status, reasons
}

func (r *running) waitReady(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, _ := r.readyz(t)
		return status == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond, "%s", &r.err)
}

const webhookBody = `{"id":"r","domain_id":"d","events":[{"type":"content.imported","id":"e1","issued_at":"2026-01-02T03:04:05.678Z",
	"resource":{"type":"whats_app/message","id":"c1","metadata":{"thread_id":"t1","body":"hi","status":"new"}}}]}`

func TestABridgeFromWebhookToEvent(t *testing.T) {
	w := newWorld(t)
	r := startBridge(t, w.env)
	r.waitReady(t)
	status, answer, _ := call(t, http.MethodPost, "http://"+r.public+"/webhooks/engage", webhookBody)
	require.Equal(t, http.StatusOK, status, answer)
	got := w.run(t, "tail", "contents", "--from", "beginning", "--max", "1")
	require.Zero(t, got.code, got.err)
	require.Equal(t, "c1", lines(t, got.out)[0]["value"].(map[string]any)["content"].(map[string]any)["id"])

	status, page, _ := call(t, http.MethodGet, "http://"+r.private+"/metrics", "")
	require.Equal(t, http.StatusOK, status)
	for _, metric := range []string{"ringbridge_build_info{", "ringbridge_ready 1", `ringbridge_kafka_connects_total{client="publish"`, "go_goroutines", "process_", "ringbridge_webhook_requests_total"} {
		require.Contains(t, page, metric)
	}
	for _, path := range []string{"/", "/metrics", "/readyz", "/livez"} {
		status, _, _ := call(t, http.MethodGet, "http://"+r.public+path, "")
		require.Equal(t, http.StatusNotFound, status, "nothing but webhooks on the public listener: %s", path)
	}
	begun := time.Now()
	require.Zero(t, r.end(), "%s", &r.err)
	require.Less(t, time.Since(begun), 10*time.Second)
	require.NotContains(t, r.err.String(), "s3cret")
	require.NotContains(t, r.err.String(), "level=ERROR")
}

// TestABridgeWaitsForWhatIsMissing starts with an address where nobody is.
func TestABridgeWaitsForWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	for variable, component := range map[string]string{"KAFKA_BROKERS": "kafka", "SCHEMA_REGISTRY_URL": "schema_registry"} {
		t.Run(variable, func(t *testing.T) {
			env := maps.Clone(w.env)
			hole := newHole(t, strings.TrimPrefix(w.env[variable], "http://"))
			env[variable] = strings.Replace(env[variable], strings.TrimPrefix(env[variable], "http://"), hole.addr, 1)
			r := startBridge(t, env)
			require.Eventually(t, func() bool {
				status, reasons := r.readyz(t)
				return hole.tries.Load() > 3 && status == http.StatusServiceUnavailable && strings.Contains(reasons, variable) &&
					strings.Contains(reasons, `"component":"`+component+`"`)
			}, 20*time.Second, 20*time.Millisecond, "%s", &r.err)
			status, _, _ := call(t, http.MethodGet, "http://"+r.private+"/livez", "")
			require.Equal(t, http.StatusOK, status)
			status, _, header := call(t, http.MethodPost, "http://"+r.public+"/webhooks/engage", webhookBody)
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.NotEmpty(t, header.Get("Retry-After"))

			// It comes up where it was missing, and the bridge goes on by itself.
			hole.open.Store(true)
			r.waitReady(t)
			require.Equal(t, 1, strings.Count(r.err.String(), "msg=waiting component="+component), "one line, not one for each try: %s", &r.err)
			require.Contains(t, r.err.String(), `msg="waiting is over" component=`+component)
			require.Zero(t, r.end(), "%s", &r.err)
		})
	}
}

// hole is an address that closes each connection once it has been asked
// something, until it is open: then it leads to another address.
type hole struct {
	addr  string
	tries atomic.Int64
	open  atomic.Bool
}

func newHole(t *testing.T, to string) *hole {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	h := &hole{addr: socket.Addr().String()}
	go func() {
		for {
			near, err := socket.Accept()
			if err != nil {
				return
			}
			h.tries.Add(1)
			go h.serve(near, to)
		}
	}()
	return h
}

func (h *hole) serve(near net.Conn, to string) {
	defer near.Close()
	question := make([]byte, 4096)
	n, err := near.Read(question)
	if err != nil || !h.open.Load() {
		return
	}
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		_, _ = far.Write(question[:n])
		_, _ = io.Copy(far, near)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
}

func TestAStopWhileWaitingIsClean(t *testing.T) {
	r := startBridge(t, map[string]string{"KAFKA_BROKERS": freeAddress(t), "SCHEMA_REGISTRY_URL": "http://" + freeAddress(t)})
	require.Eventually(t, func() bool { return strings.Contains(r.err.String(), "msg=waiting") }, 20*time.Second, 20*time.Millisecond)
	require.Zero(t, r.end(), "%s", &r.err)
}

func TestDefiniteFaultsEndTheBridge(t *testing.T) {
	for fact, test := range map[string]struct {
		spoil func(*testing.T, *world)
		want  []string
	}{
		"a topic whose settings break a guarantee": {
			spoil: func(t *testing.T, w *world) {
				t.Helper()
				deleted := "delete"
				_, err := kadm.NewClient(w.client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "cleanup.policy", Value: &deleted}}, "ringcentral.seen")
				require.NoError(t, err)
			},
			want: []string{"ringcentral.seen", "cleanup.policy"},
		},
		"an incompatible schema": {
			spoil: func(t *testing.T, w *world) {
				t.Helper()
				schema := `{"schema":"{\"type\":\"record\",\"name\":\"ContentEvent\",\"namespace\":\"ringbridge.v1\",\"fields\":[{\"name\":\"mine\",\"type\":\"string\"}]}"}`
				status, answer, _ := call(t, http.MethodPost, w.env["SCHEMA_REGISTRY_URL"]+"/subjects/ringcentral.contents-value/versions", schema)
				require.Equal(t, http.StatusOK, status, answer)
			},
			want: []string{"ContentEvent", "ringcentral.contents-value"},
		},
		"schemas that are not to be registered": {
			spoil: func(t *testing.T, w *world) {
				t.Helper()
				w.env["SCHEMA_REGISTRY_REGISTER"] = "false"
				w.env["TOPIC_PREFIX"] = "other."
			},
			want: []string{"schemas register", "SCHEMA_REGISTRY_REGISTER"},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			w := newWorld(t).withTopics(t)
			test.spoil(t, w)
			r := startBridge(t, w.env)
			require.Eventually(t, func() bool { return len(r.done) == 1 }, 30*time.Second, 20*time.Millisecond, "it runs on")
			require.Equal(t, 1, r.end())
			for _, want := range test.want {
				require.Contains(t, r.err.String(), want)
			}
			require.NotContains(t, r.err.String(), "goroutine")
		})
	}
}

func TestOnlyTheChosenStagesRun(t *testing.T) {
	w := newWorld(t)
	r := startBridge(t, w.env, "--only", "publish")
	r.waitReady(t)
	status, page, _ := call(t, http.MethodGet, "http://"+r.private+"/", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "turns the inbox into events")
	require.NotContains(t, page, "finds what webhooks miss")
	require.Contains(t, page, "Nothing is polled here")
	status, _, _ = call(t, http.MethodGet, "http://"+r.public+"/webhooks/engage", "")
	require.Zero(t, status, "nobody listens where nothing is taken in")
	require.Zero(t, r.end(), "%s", &r.err)
}

func TestTheEmbeddedRegistryKeepsItsIDs(t *testing.T) {
	dir := t.TempDir()
	ids := map[string]int{}
	for range 2 {
		e := newWorldOn(t, dir)
		registry, err := schemas.NewRegistry(schemas.Config{URL: e.env["SCHEMA_REGISTRY_URL"]})
		require.NoError(t, err)
		if len(ids) == 0 {
			// Another program registers first: ours get other ids than alone.
			status, _, _ := call(t, http.MethodPost, e.env["SCHEMA_REGISTRY_URL"]+"/subjects/foreign/versions", `{"schema":"\"string\""}`)
			require.Equal(t, http.StatusOK, status)
		}
		for _, subject := range schemas.Subjects() {
			state, err := registry.Check(t.Context(), subject, "a.")
			require.NoError(t, err)
			require.Equal(t, ids[subject.Record], state.ID)
		}
		_, err = registry.Prepare(t.Context(), "a.", true)
		require.NoError(t, err)
		for _, subject := range schemas.Subjects() {
			state, err := registry.Check(t.Context(), subject, "a.")
			require.NoError(t, err)
			ids[subject.Record] = state.ID
		}
		require.Equal(t, 2, ids["Arrival"])
		e.stop()
	}
}
