package ringcentral_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestHeadersThatMakeNoSenseTeachNothing(t *testing.T) {
	for fact, set := range map[string]func(http.Header, int){
		"no group":         func(h http.Header, _ int) { h.Set("X-Rate-Limit-Limit", "1") },
		"a group of noise": func(h http.Header, _ int) { limitHeaders(h, "light\x00\"}", 1, 1) },
		"a group too long": func(h http.Header, _ int) { limitHeaders(h, string(make([]byte, 1000)), 1, 1) },
		"a limit of none":  func(h http.Header, _ int) { h.Set("X-Rate-Limit-Group", "light"); h.Set("X-Rate-Limit-Limit", "0") },
		"limits of words":  func(h http.Header, _ int) { h.Set("X-Rate-Limit-Group", "light"); h.Set("X-Rate-Limit-Limit", "many") },
		"limits below nothing": func(h http.Header, _ int) {
			limitHeaders(h, "light", -1, -1)
		},
		"too many groups": func(h http.Header, n int) { limitHeaders(h, "group"+strconv.Itoa(n), 1000, 1000) },
	} {
		t.Run(fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := platform{answer: func(w http.ResponseWriter, _ asked, n int) {
					set(w.Header(), n)
					_, _ = io.WriteString(w, `{"id":1}`)
				}}
				reg := prometheus.NewRegistry()
				c := p.client(t, func(_ *ringcentral.PlatformConfig, d *ringcentral.Deps) { d.Registerer = reg })
				begin := time.Now()
				for range 100 {
					require.NoError(t, second(c.Message(t.Context(), "1")))
				}
				require.Less(t, time.Since(begin), time.Minute)
				n, err := testutil.GatherAndCount(reg, "ringbridge_api_budget_calls_per_minute")
				require.NoError(t, err)
				require.LessOrEqual(t, n, 3+32)
			})
		})
	}
}

func TestAMinuteIsNotTheOnlyWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
			limitHeaders(w.Header(), "light", 10, 8)
			w.Header().Set("X-Rate-Limit-Window", "10")
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		begin := time.Now()
		for range 100 {
			require.NoError(t, second(c.Message(t.Context(), "1")))
		}
		require.InDelta(t, 110, time.Since(begin).Seconds(), 12)
	})
}
