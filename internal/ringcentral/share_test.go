package ringcentral_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A third of 50 is 16.7: three processes that rounded it up would make 51 calls.
func TestSharesTogetherAreNoMoreThanTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a api
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			e := a.client(t, 50)
			e.Share(1.0 / 3)
			wg.Go(func() {
				for ctx.Err() == nil {
					outOfTime(ctx, second(e.Content(ctx, "x")))
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, a.busiest(), 50)
		require.GreaterOrEqual(t, a.busiest(), 45)
	})
}
