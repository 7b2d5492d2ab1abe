package ringcentral_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestTextMessagesKeepTheAccountsRate(t *testing.T) {
	for _, rate := range []int{7, 40} {
		synctest.Test(t, func(t *testing.T) {
			p := platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
				limitHeaders(w.Header(), "medium", 500, 400)
				_, _ = io.WriteString(w, `{"id":1}`)
			}}
			c := p.client(t, func(cfg *ringcentral.PlatformConfig, _ *ringcentral.Deps) { cfg.SMSRate = rate })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			for i := 0; ctx.Err() == nil; i++ {
				if i%2 == 0 {
					outOfTime(ctx, second(c.SendSMS(ctx, text())))
				} else {
					outOfTime(ctx, second(c.SendMMS(ctx, picture())))
				}
			}
			require.LessOrEqual(t, busiest(p.calls), rate)
			require.GreaterOrEqual(t, len(p.calls), rate*9)
		})
	}
}

func TestTheSMSLimitIsAWaitOfTextMessagesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, a asked, n int) {
			if n == 1 {
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, `{"errorCode":"MSG-305","message":"SMS rate"}`)
				return
			}
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		_, err := c.SendSMS(t.Context(), text())
		begin := time.Now()
		require.Equal(t, "MSG-305", failure(t, err).Code)
		require.Equal(t, 30*time.Second, failure(t, err).RetryAfter)
		require.NoError(t, second(c.Message(t.Context(), "1")))
		require.Zero(t, time.Since(begin))
		require.NoError(t, second(c.SendMMS(t.Context(), picture())))
		require.GreaterOrEqual(t, time.Since(begin), 30*time.Second)
	})
}

func TestADuplicateInFlightIsAWaitForThatCallAndMayHaveHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{answer: func(w http.ResponseWriter, _ asked, n int) {
			limitHeaders(w.Header(), "medium", 50, 40)
			if n == 1 {
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, `{"errors":[{"errorCode":"CMN-304","message":"Duplicate concurrent request"}]}`)
				return
			}
			_, _ = io.WriteString(w, `{"id":1}`)
		}}
		c := p.client(t)
		_, err := c.SendSMS(t.Context(), text())
		require.Equal(t, ringcentral.Unknown, failure(t, err).Outcome, "the API is busy with its twin")
		require.Equal(t, 30*time.Second, failure(t, err).RetryAfter)
		require.Zero(t, c.HoldUntil())
		begin := time.Now()
		other := text()
		other.To = []string{"+15550199"}
		require.NoError(t, second(c.SendSMS(t.Context(), other)))
		require.Less(t, time.Since(begin), 5*time.Second)
	})
}
