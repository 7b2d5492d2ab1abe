package letters

// What the tests of this package reach behind the office.

// Stretches is the memory of a partition.
type Stretches struct{ s stretches }

// Add marks the offsets from first up to but not including end.
func (s *Stretches) Add(first, end int64) { s.s.add(stretch{first, end}) }

// Contains tells whether the offset is marked.
func (s *Stretches) Contains(offset int64) bool { return s.s.contains(offset) }

// Base returns the offset that is committed.
func (s *Stretches) Base() int64 { return s.s.base }

// Reloaded returns what comes back from the broker.
func (s *Stretches) Reloaded() (*Stretches, error) {
	text, err := s.s.encode()
	return &Stretches{*decodeStretches(s.s.base, text)}, err
}

// Merged returns both in one.
func (s *Stretches) Merged(other *Stretches) *Stretches {
	merged := &Stretches{*s.s.clone()}
	merged.s.merge(&other.s)
	return merged
}

// Put puts letters on the shelf, as Run does.
func (s *Shelf) Put(letters ...Letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range letters {
		s.replies.add(newLine(l))
	}
	s.replies.filled = true
}
