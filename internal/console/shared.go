package console

import (
	"context"
	"sync"
	"time"
)

// snapshotAge is how old a snapshot may be that a page is made from: ten viewers
// cost as much as one, and nobody sees the difference.
const snapshotAge = time.Second

// shared is something that is expensive to read, read once for all who ask within
// a time. Who asks while it is being read waits for that read. It is safe for
// concurrent use.
type shared[T any] struct {
	age  time.Duration
	read func(context.Context) (T, error)

	mu    sync.Mutex
	at    time.Time
	value T
	err   error
}

func newShared[T any](age time.Duration, read func(context.Context) (T, error)) *shared[T] {
	return &shared[T]{age: age, read: read}
}

// get returns what was read, at most age ago. An error is kept as long as a value.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= s.age {
		s.value, s.err = s.read(ctx)
		if ctx.Err() != nil && s.err != nil {
			return s.value, s.err // that viewer has left: the next one reads for himself
		}
		s.at = time.Now()
	}
	return s.value, s.err
}
