package letters_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
)

const manyLetters = 100_000

// many are letters as they are: six partitions, ids that are all different, few
// messages.
func many(n int) (all []letters.Letter) {
	random := rand.New(rand.NewPCG(1, 2))
	reasons := deadletter.Reasons()
	begun := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for i := range n {
		all = append(all, letters.Letter{
			Position:  letters.Position{Partition: int32(i % 6), Offset: int64(i / 6)},
			Key:       fmt.Sprintf("%024x", random.Uint64()%40_000),
			CommandID: fmt.Sprintf("%08x-0000-4000-8000-%012x", random.Uint32(), i),
			Info: deadletter.Letter{
				Reason: reasons[i%len(reasons)], FailedAt: begun.Add(time.Duration(i) * time.Second), Attempts: 8, HTTPStatus: 503,
				Message: fmt.Sprintf("ringcentral: create_content: status 503 code_%d: the service is not available", i%20),
			},
		})
	}
	return all
}

// The newest page of 100,000 letters; B/letter is what the shelf holds for each.
func BenchmarkPage(b *testing.B) {
	all := many(manyLetters)
	before := heap()
	s := letters.NewShelf(letters.ShelfDeps{})
	s.Put(all...)
	size := float64(heap()-before) / manyLetters
	for name, choice := range map[string]letters.Choice{
		"all":             {Source: letters.Replies},
		"of one reason":   {Source: letters.Replies, Reasons: []deadletter.Reason{deadletter.Rejected}},
		"of one hour":     {Source: letters.Replies, Since: all[50_000].Info.FailedAt, Until: all[53_600].Info.FailedAt},
		"one that is not": {Source: letters.Replies, Conversation: "none", States: []letters.State{letters.Waiting}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.Page(choice, nil, 100)
			}
			b.ReportMetric(size, "B/letter")
		})
	}
	runtime.KeepAlive(all)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
