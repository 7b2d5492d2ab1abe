package ringcentral

import (
	"container/heap"
	"time"
)

// gone is the index of a waiter that is not in the queue any more.
const gone = -1

// waiter is one call that waits for budget.
type waiter struct {
	priority Priority
	arrival  uint64
	deadline time.Time // the latest moment it can still use its turn; zero = any
	noWait   bool      // it has no use for a turn that the budget gives later than now
	// done gets exactly one value when the waiter is let go (nil) or sent away. It has room for it: nobody blocks.
	done  chan error
	index int // in the queue, or gone
}

func (w *waiter) queued() bool { return w.index != gone }

// expiresBefore reports whether the waiter has no use for a turn at t, or for one that isn't known to come. A waiter without a
// deadline waits for any.
func (w *waiter) expiresBefore(t time.Time, known bool) bool {
	return !w.deadline.IsZero() && (!known || w.deadline.Before(t))
}

// mustGoNow reports whether the waiter has no use for a later turn.
func (w *waiter) mustGoNow() bool { return w.noWait }

// waitQueue is a heap of waiters: the lowest priority value first, then the earliest arrival. Its owner's lock guards it.
type waitQueue []*waiter

func (q *waitQueue) add(w *waiter) { heap.Push(q, w) }

func (q *waitQueue) first() *waiter { return (*q)[0] }

func (q *waitQueue) next() *waiter { return heap.Pop(q).(*waiter) }

func (q *waitQueue) remove(w *waiter) { heap.Remove(q, w.index) }

// before counts the waiters that go before a newcomer of priority p.
func (q *waitQueue) before(p Priority) int {
	n := 0
	for _, w := range *q {
		if w.priority <= p {
			n++
		}
	}
	return n
}

// Len implements heap.Interface, as do the four below.
func (q *waitQueue) Len() int { return len(*q) }

func (q *waitQueue) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	if a.priority != b.priority {
		return a.priority < b.priority
	}
	return a.arrival < b.arrival
}

func (q *waitQueue) Swap(i, j int) {
	s := *q
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (q *waitQueue) Push(x any) {
	w := x.(*waiter)
	w.index = q.Len()
	*q = append(*q, w)
}

func (q *waitQueue) Pop() any {
	s := *q
	last := len(s) - 1
	w := s[last]
	s[last] = nil
	*q = s[:last]
	w.index = gone
	return w
}
