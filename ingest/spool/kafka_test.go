package spool_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/ingest/spool"
	"github.com/ringbridge/ringbridge/ingest/webhook"
)

// outage cuts every connection until it is healed.
func outage(c *kfake.Cluster) (heal func()) {
	var healed atomic.Bool
	c.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		if healed.Load() {
			return nil, nil, false
		}
		c.KeepControl()
		return nil, errors.New("cut"), true
	})
	return func() { healed.Store(true) }
}

func post(t *testing.T, r http.Handler, body string) int {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, webhook.Path, strings.NewReader(body))
	req.Header.Set(webhook.HeaderSecret, "s")
	w := httptest.NewRecorder()
	began := time.Now()
	r.ServeHTTP(w, req)
	require.Less(t, time.Since(began), 10*time.Second)
	if w.Code == http.StatusServiceUnavailable {
		require.NotEmpty(t, w.Header().Get("Retry-After"))
	}
	return w.Code
}

func event(thread string, n int) string {
	return fmt.Sprintf(`{"events":[{"type":"content.imported","resource":{"id":"%[1]s.%[2]d","metadata":{"thread_id":"%[1]s"}}}]}`, thread, n)
}

// TestWebhooksReachKafkaInOrderAcrossOutages sends through two outages and a
// restart, at first without the schemas.
func TestWebhooksReachKafkaInOrderAcrossOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, disk := ingesttest.Start(t), newFakeDisk()
		heal := outage(k.Cluster)
		var inbox *ingest.Inbox
		var s *spool.Spool
		var stop func()
		begin := func() http.Handler {
			inbox = k.Inbox(t, nil)
			s = open(t, disk, inbox)
			stop = run(t, s)
			return webhook.New(webhook.Deps{Inbox: s}, webhook.Config{MaxBody: 1000, Secret: "s"})
		}
		receiver := begin() // neither the broker nor the registry is there
		const n = 400
		for i := range n {
			switch i {
			case 50:
				stop()
				s.Close()
				receiver = begin()
			case 100:
				inbox.UseCodec(codec)
			case 150:
				heal()
			case 250:
				heal = outage(k.Cluster)
			case 350:
				heal()
			}
			require.Equal(t, http.StatusOK, post(t, receiver, event(fmt.Sprint("t", i%7), i)))
			if i%50 == 0 {
				require.Equal(t, http.StatusOK, post(t, receiver, "no JSON"))
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		require.Empty(t, disk.left())

		var ids []string
		for _, a := range k.Arrivals(t, codec) {
			require.Equal(t, "acme", a.Account)
			ids = append(ids, *a.ResourceID)
		}
		ids = firsts(ids)
		require.Len(t, ids, n)
		last := map[string]int{}
		for _, id := range ids {
			thread, number, _ := strings.Cut(id, ".")
			var i int
			_, err := fmt.Sscan(number, &i)
			require.NoError(t, err)
			require.GreaterOrEqual(t, i, last[thread])
			last[thread] = i
		}
		require.GreaterOrEqual(t, len(k.Records(t, k.Names.InboxDLQ)), 8)
	})
}

func TestAFullDiskIsAnsweredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, inbox := newFakeDisk(), &fakeInbox{down: true}
		disk.setFull(errDisk)
		s := open(t, disk, inbox)
		run(t, s)
		receiver := webhook.New(webhook.Deps{Inbox: s}, webhook.Config{MaxBody: 1000, Secret: "s"})
		require.Equal(t, http.StatusServiceUnavailable, post(t, receiver, event("t", 1)))
		require.Equal(t, http.StatusServiceUnavailable, post(t, receiver, "no JSON"))
		inbox.set(false)
		synctest.Wait()
		require.Equal(t, http.StatusOK, post(t, receiver, event("t", 1)))
	})
}
