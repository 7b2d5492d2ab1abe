package ringcentral_test

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestACallThatMustNotWaitGoesNowOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		e := a.client(t, 60) // three at once after a pause, one when new
		begin := time.Now()
		now := func() error {
			return second(e.Content(ringcentral.WithoutWaiting(ringcentral.WithPriority(t.Context(), ringcentral.Enrich)), "now"))
		}
		require.NoError(t, now())
		err := now()
		require.ErrorIs(t, err, ringcentral.ErrNoBudget)
		failure, ok := errors.AsType[*ringcentral.Error](err)
		require.True(t, ok)
		require.Equal(t, ringcentral.NotSent, failure.Outcome)
		require.Positive(t, failure.RetryAfter)
		require.Zero(t, time.Since(begin))

		time.Sleep(2 * time.Second)
		require.NoError(t, now())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = e.Content(t.Context(), "poll") }) // more urgent, and waiting
		synctest.Wait()
		require.ErrorIs(t, now(), ringcentral.ErrNoBudget)
		wg.Wait()

		time.Sleep(time.Minute)
		a.limit("30")
		require.Error(t, now())
		begin = time.Now()
		require.ErrorIs(t, now(), ringcentral.ErrNoBudget, "a penalty window")
		require.Zero(t, time.Since(begin))
		e.Share(0)
		require.ErrorIs(t, now(), ringcentral.ErrNoBudget, "no share")
	})
}

func TestACallThatMustNotWaitLeavesWhenOthersTakeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
			time.Sleep(100 * time.Millisecond)
			limitHeaders(w.Header(), "light", 60, 50)
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		require.NoError(t, second(c.Message(t.Context(), "1"))) // the group is known
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		var errs [2]error
		for i := range errs {
			wg.Go(func() {
				errs[i] = second(c.Message(ringcentral.WithoutWaiting(ringcentral.WithPriority(t.Context(), ringcentral.Enrich)), "1"))
			})
			synctest.Wait() // the second waits for the answer of the first
		}
		for range 20 {
			wg.Go(func() { _, _ = c.Message(ringcentral.WithPriority(t.Context(), ringcentral.Reply), "1") })
		}
		wg.Wait()
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], ringcentral.ErrNoBudget)
	})
}
