package ingest_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/ingesttest"
)

// Peer failure 14: acks were left at the library's zero value, or at one.
func TestEveryWriteWaitsForAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ingesttest.Start(t)
		var mu sync.Mutex
		asked := map[int16]int{}
		k.Cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
			k.Cluster.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			asked[req.(*kmsg.ProduceRequest).Acks]++
			return nil, nil, false
		})
		inbox := k.Inbox(t, codec)
		require.NoError(t, inbox.Accept(t.Context(), item("k", "{}")))
		require.NoError(t, inbox.Refuse(t.Context(), ingest.Refusal{Body: []byte("x")}))
		require.Equal(t, map[int16]int{-1: 2}, asked)
	})
}

// A producer that the broker disowns is given up within the time of an answer, and
// the next item goes through another.
func TestAProducerBeyondRepairIsReplaced(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerIDMapping, kerr.UnknownServerError} {
		t.Run(fault.Message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := ingesttest.Start(t)
				inbox := k.Inbox(t, codec)
				require.NoError(t, inbox.Accept(t.Context(), item("k", "before")))
				handle := k.Cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: 2})
				accepted := 0
				for n := range 5 {
					start := time.Now()
					if inbox.Accept(t.Context(), item("k", fmt.Sprint(n))) == nil {
						accepted++
					}
					require.LessOrEqual(t, time.Since(start), 9*time.Second)
				}
				require.GreaterOrEqual(t, accepted, 3)
				require.NotZero(t, handle.Hits())
				require.GreaterOrEqual(t, len(k.Records(t, k.Names.Inbox)), accepted+1)
			})
		})
	}
}
