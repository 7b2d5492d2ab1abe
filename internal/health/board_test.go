package health_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/health"
)

func TestBoard(t *testing.T) {
	type step func(*health.Board)
	set := func(component, reason string) step {
		return func(b *health.Board) { b.Set(component, reason) }
	}
	clearOf := func(component string) step { return func(b *health.Board) { b.Clear(component) } }

	for name, test := range map[string]struct {
		steps   []step
		reasons []string
		changes []string
	}{
		"is ready while empty":                 {},
		"tells what is wrong":                  {steps: []step{set("kafka", "down")}, reasons: []string{"kafka: down"}, changes: []string{"kafka=down"}},
		"orders by component":                  {steps: []step{set("poll", "b"), set("kafka", "a")}, reasons: []string{"kafka: a", "poll: b"}, changes: []string{"poll=b", "kafka=a"}},
		"tells a repeated reason once":         {steps: []step{set("kafka", "down"), set("kafka", "down")}, reasons: []string{"kafka: down"}, changes: []string{"kafka=down"}},
		"tells a new reason":                   {steps: []step{set("kafka", "down"), set("kafka", "refused")}, reasons: []string{"kafka: refused"}, changes: []string{"kafka=down", "kafka=refused"}},
		"is ready again once cleared":          {steps: []step{set("kafka", "down"), clearOf("kafka")}, changes: []string{"kafka=down", "kafka="}},
		"clears one component only":            {steps: []step{set("kafka", "a"), set("poll", "b"), clearOf("kafka")}, reasons: []string{"poll: b"}, changes: []string{"kafka=a", "poll=b", "kafka="}},
		"clearing a well component is nothing": {steps: []step{clearOf("kafka")}},
	} {
		t.Run(name, func(t *testing.T) {
			var changes []string
			board := health.Board{OnChange: func(component, reason string, _ time.Time) {
				changes = append(changes, component+"="+reason)
			}}
			for _, step := range test.steps {
				step(&board)
			}
			var reasons []string
			for _, r := range board.Reasons() {
				reasons = append(reasons, r.Component+": "+r.Reason)
			}
			require.Equal(t, test.reasons, reasons)
			require.Equal(t, test.changes, changes)
			require.Equal(t, len(test.reasons) == 0, board.Ready())
		})
	}
}

func TestReasonsThatDoNotMatterAreTold(t *testing.T) {
	board := health.Board{Suffices: func(reasons []health.Reason) bool { return reasons[0].Component == "kafka" }}
	require.True(t, board.Ready())
	board.Set("kafka", "down")
	require.True(t, board.Ready())
	require.Len(t, board.Reasons(), 1)
	board.Set("disk", "full")
	require.False(t, board.Ready())
}

func TestSinceIsWhenItBecameUnwell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var board health.Board
		start := time.Now()
		board.Set("kafka", "down")
		time.Sleep(time.Minute)
		board.Set("kafka", "refused")
		require.Equal(t, start, board.Reasons()[0].Since)

		board.Clear("kafka")
		board.Set("kafka", "down")
		require.Equal(t, start.Add(time.Minute), board.Reasons()[0].Since)
	})
}

func TestManyWriters(t *testing.T) {
	var board health.Board
	var wg sync.WaitGroup
	for i := range 8 {
		component := fmt.Sprintf("part-%d", i)
		wg.Go(func() {
			for range 200 {
				board.Set(component, "down")
				board.Reasons()
				board.Clear(component)
			}
		})
	}
	wg.Wait()
	require.True(t, board.Ready())
}
