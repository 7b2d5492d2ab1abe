package sandbox_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// receiver is a webhook's other end.
type receiver struct {
	mu       sync.Mutex
	statuses []int // one a request, then 200
	requests []received
	token    string // the handshake is refused unless it is equal
	suffix   string // after the challenge
}

type received struct {
	at     time.Time
	secret string
	raw    string
	ID     string `json:"id"`
	Domain string `json:"domain_id"`
	Events []struct {
		sandbox.Event
	} `json:"events"`
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.URL.Path == "/elsewhere" {
		return // 200, which a sender that follows redirects would take for delivery
	}
	if req.Method == http.MethodGet {
		if req.FormValue("hub.mode") != "subscribe" || req.FormValue("hub.verify_token") != r.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, req.FormValue("hub.challenge")+r.suffix)
		return
	}
	body, _ := io.ReadAll(req.Body)
	got := received{at: time.Now(), secret: req.Header.Get("X-Dimelo-Secret"), raw: string(body)}
	_ = json.Unmarshal(body, &got)
	r.requests = append(r.requests, got)
	status := http.StatusOK
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	if status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

// startHooked starts a sandbox whose webhook goes to the receiver.
func startHooked(t *testing.T, r *receiver, cfg sandbox.Config) *api {
	t.Helper()
	cfg.Webhook = sandbox.Webhook{URL: "http://bridge/webhooks/engage", Secret: "s3cret"}
	return startWith(t, cfg, sandbox.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: r}}})
}

func TestWebhookLooksAsRecorded(t *testing.T) {
	tests := map[string]struct {
		sample string
		cause  func(a *api)
	}{
		"content.imported": {"ed_bb_webhook_content_imported_whatsapp", func(a *api) { a.incoming(sandbox.Import{}) }},
		"content.replied": {"ed_bb_webhook_content_replied_whatsapp", func(a *api) {
			no := false
			a.reply(a.incoming(sandbox.Import{Webhook: &no}), "answer")
		}},
		"intervention.opened": {"ed_bb_webhook_intervention_opened", func(a *api) {
			no := false
			_, err := a.Engage(a.incoming(sandbox.Import{Webhook: &no}).AuthorID)
			require.NoError(t, err)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r receiver
				a := startHooked(t, &r, sandbox.Config{ExportDelay: -1})
				test.cause(a)
				synctest.Wait()
				require.Len(t, r.requests, 1)
				require.Equal(t, "s3cret", r.requests[0].secret)
				require.Equal(t, shape(t, sample(test.sample)), shape(t, r.requests[0].raw))
			})
		})
	}
}

// shape is all keys of a request with one event, by path.
func shape(t *testing.T, text string) []string {
	t.Helper()
	var request struct {
		ID, DomainID any
		Events       []map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(text), &request))
	require.Len(t, request.Events, 1)
	event := request.Events[0]
	resource := event["resource"].(map[string]any)
	keys := []string{event["type"].(string), resource["type"].(string)}
	keys = slices.AppendSeq(keys, maps.Keys(event))
	keys = slices.AppendSeq(keys, maps.Keys(resource))
	keys = slices.AppendSeq(keys, maps.Keys(resource["metadata"].(map[string]any)))
	slices.Sort(keys)
	return keys
}

func TestWebhookLeavesAttachmentsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{})
		c := a.incoming(sandbox.Import{NoBody: true, Attachments: []sandbox.Attachment{{Filename: "cat.jpeg"}}})
		synctest.Wait()
		metadata := string(r.requests[0].Events[0].Resource.Metadata)
		require.Contains(t, metadata, `"has_attachment":true`)
		require.Contains(t, metadata, `"body":""`)
		require.NotContains(t, metadata, "cat.jpeg")
		got := a.get("/1.0/contents/" + c.ID)
		require.Contains(t, string(got.body), `"body":null`)
		require.Contains(t, string(got.body), `"filename":"cat.jpeg"`)
	})
}

func TestWebhookIsTriedAgainAsDocumented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver{statuses: []int{500, 204, 302, 201, 404, 503, 500}}
		a := startHooked(t, &r, sandbox.Config{})
		a.incoming(sandbox.Import{})
		time.Sleep(24 * time.Hour)
		synctest.Wait()

		var waits []time.Duration
		requests, events := map[string]bool{}, map[string]bool{}
		for i, got := range r.requests {
			requests[got.ID], events[got.Events[0].ID] = true, true
			if i > 0 {
				waits = append(waits, got.at.Sub(r.requests[i-1].at))
			}
		}
		require.Equal(t, []time.Duration{
			32 * time.Second, 4 * time.Minute, 17 * time.Minute, 52 * time.Minute, 2 * time.Hour,
		}, waits)
		require.Len(t, requests, 6, "each request has its own id")
		require.Len(t, events, 1, "the event keeps its id")
		counts, attempts := a.Deliveries()
		require.Equal(t, sandbox.DeliveryCounts{Emitted: 1, Dropped: 1, Requests: 6, Failed: 6}, counts)
		require.Equal(t, 204, attempts[1].Status, "only 200 is success")
	})
}

func TestResetDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver{statuses: []int{500}}
		a := startHooked(t, &r, sandbox.Config{ExportDelay: time.Minute})
		a.incoming(sandbox.Import{})
		synctest.Wait()
		a.reply(a.incoming(sandbox.Import{}), "not exported yet")
		synctest.Wait()
		before := len(r.requests)

		a.Reset()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		require.Len(t, r.requests, before, "neither the next try nor content.exported")
		counts, _ := a.Deliveries()
		require.Zero(t, counts)
	})
}

func TestWebhookDelaysScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver{statuses: []int{500}}
		a := startHooked(t, &r, sandbox.Config{Delivery: sandbox.Delivery{RetryScale: 0.01}})
		a.incoming(sandbox.Import{})
		time.Sleep(320 * time.Millisecond)
		synctest.Wait()
		counts, _ := a.Deliveries()
		require.Equal(t, sandbox.DeliveryCounts{Emitted: 1, Delivered: 1, Requests: 2, Failed: 1}, counts)
	})
}

func TestWebhookGathersEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{Delivery: sandbox.Delivery{Buffer: sandbox.Duration(time.Second), MaxEvents: 3}})
		_, err := a.Import(sandbox.Import{Count: 7})
		require.NoError(t, err)
		time.Sleep(time.Second)
		synctest.Wait()
		var sizes []int
		for _, got := range r.requests {
			sizes = append(sizes, len(got.Events))
		}
		require.ElementsMatch(t, []int{3, 3, 1}, sizes)
	})
}

func TestWebhookGoesAstray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{
			Delivery: sandbox.Delivery{LossRate: 0.3, DuplicateRate: 0.3, Reorder: true, Concurrency: 1},
		})
		_, err := a.Import(sandbox.Import{Count: 100})
		require.NoError(t, err)
		synctest.Wait()

		counts, _ := a.Deliveries()
		require.InDelta(t, 30, counts.Lost, 15)
		require.Equal(t, 100, counts.Lost+counts.Delivered)
		seen := map[string]int{}
		var order []string
		for _, got := range r.requests {
			seen[got.ID]++
			order = append(order, got.Events[0].ID)
		}
		require.Len(t, seen, counts.Delivered, "a duplicate is the same request")
		require.Greater(t, len(r.requests), counts.Delivered)
		require.False(t, slices.IsSorted(order))
	})
}

func TestExportIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{ExportDelay: time.Minute})
		made := a.reply(a.incoming(sandbox.Import{}), "answer").content()
		time.Sleep(time.Minute)
		synctest.Wait()
		var types []string
		for _, got := range r.requests {
			types = append(types, got.Events[0].Type)
		}
		require.ElementsMatch(t, []string{sandbox.EventImported, sandbox.EventReplied, sandbox.EventExported}, types)
		last := r.requests[len(r.requests)-1].Events[0]
		require.Equal(t, made.ID, last.Resource.ID)
		require.Contains(t, string(last.Resource.Metadata), `"synchronization_status":"success"`)
		require.Empty(t, last.UserID, "nobody did it")
	})
}

func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver{token: "v"}
		a := startHooked(t, &r, sandbox.Config{})
		hook := sandbox.Webhook{URL: "http://bridge/hook", Secret: "s", VerifyToken: "wr0ng"}
		err := a.Register(t.Context(), hook)
		require.ErrorIs(t, err, sandbox.ErrHandshake)
		require.NotContains(t, err.Error(), "wr0ng")
		a.incoming(sandbox.Import{})
		synctest.Wait()
		require.Empty(t, r.requests, "a webhook that failed is disabled")

		hook.VerifyToken = "v"
		r.suffix = "\n"
		require.ErrorIs(t, a.Register(t.Context(), hook), sandbox.ErrHandshake, "exactly the challenge")
		r.suffix = ""
		require.NoError(t, a.Register(t.Context(), hook))
		a.incoming(sandbox.Import{})
		synctest.Wait()
		require.Len(t, r.requests, 1)
	})
}

func TestUnreachableHandshakeKeepsTheTokenSecret(t *testing.T) {
	a := start(t, sandbox.Config{})
	err := a.Register(t.Context(), sandbox.Webhook{URL: "http://127.0.0.1:1/", VerifyToken: "v3rify"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "v3rify")
	require.ErrorIs(t, a.Register(t.Context(), sandbox.Webhook{URL: "nowhere"}), sandbox.ErrInvalid)
}

func TestEmitSendsAnyEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{})
		_, err := a.Emit(sandbox.Event{Type: "task.flew_away", Resource: sandbox.Resource{Type: "task", ID: "7"}})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, "task.flew_away", r.requests[0].Events[0].Type)
	})
}
