package ringcentral_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestCallsAreCountedByHowTheyEnded(t *testing.T) {
	reg := prometheus.NewRegistry()
	status := 0
	e := engage(t, "http://api.example", ringcentral.Deps{Registerer: reg, HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		if status == 0 {
			return nil, errors.New("broken")
		}
		if status == 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}
		return answered(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"id":"c1"}`)
		}, r), nil
	})}})
	const series = 6 * 11
	n, err := testutil.GatherAndCount(reg, "ringbridge_api_requests_total")
	require.NoError(t, err)
	require.Equal(t, series, n, "every series is there from the start")
	for _, status = range []int{0, 1, 200, 201, 302, 401, 403, 404, 400, 409, 422, 429, 500, 503} {
		_, _ = e.Content(t.Context(), "c1")
	}
	n, err = testutil.GatherAndCount(reg, "ringbridge_api_requests_total")
	require.NoError(t, err)
	require.Equal(t, series, n, "and no call adds one")
}

func TestClientsOfOneRegistryShareTheirMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	engage(t, "http://api.example", ringcentral.Deps{Registerer: reg}, 500)
	e := engage(t, "http://api.example", ringcentral.Deps{Registerer: reg}, 500)
	e.Share(0.5)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP ringbridge_api_budget_calls_per_minute Our part of the rate limit; 0 with no limit of our own, or no part.
# TYPE ringbridge_api_budget_calls_per_minute gauge
ringbridge_api_budget_calls_per_minute{api="engage",group="all"} 250
`), "ringbridge_api_budget_calls_per_minute"))
}

func TestWhatIsUsedOfABudgetIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	e := engage(t, "http://api.example", ringcentral.Deps{Registerer: reg, HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		return answered(content, r), nil
	})}}, 500)
	const name = "ringbridge_api_budget_used_calls_total"
	expect := func(calls string) {
		t.Helper()
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP `+name+` Calls that the budget has let go: what is used of it.
# TYPE `+name+` counter
`+name+`{api="engage",group="all"} `+calls+"\n"), name))
	}
	expect("0")
	require.NoError(t, second(e.Content(t.Context(), "c1")))
	expect("1")
	e.Share(0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorIs(t, second(e.Content(ctx, "c1")), ringcentral.ErrNoBudget)
	expect("1")
}
