package poll

import (
	"hash/maphash"
	"slices"
	"time"
)

// maxRemembered bounds a stream's memory, to some 50 MB. Rows beyond it are
// written again by each sweep, and dropped behind the inbox.
const maxRemembered = 500_000

// A memory knows the rows that need not be written again. It is lost with its
// owner, and all that is read is written once more. Rows are known by hashes: of
// two with one hash, one would be written whenever it is read.
type memory struct {
	seed  hashSeed
	limit int // rows
	rows  map[uint64]remembered
	pass  uint32 // counts the passes over the list
}

type remembered struct {
	hash uint64 // of the bytes
	at   int64  // the row's time, or when it was read where that is unreadable; seconds
	pass uint32 // the last one that read it
}

func newMemory(limit int) *memory {
	return &memory{seed: maphash.MakeSeed(), limit: limit, rows: map[uint64]remembered{}}
}

// look reports whether a row was met before, and whether it is as it was then.
func (m *memory) look(r row) (met, same bool) {
	key := maphash.String(m.seed, r.ident)
	known, met := m.rows[key]
	if met {
		known.pass = m.pass
		m.rows[key] = known
	}
	return met, met && known.hash == r.hash
}

// keep remembers a row.
func (m *memory) keep(r row, now time.Time) {
	at := r.at
	if at.IsZero() {
		at = now
	}
	m.rows[maphash.String(m.seed, r.ident)] = remembered{hash: r.hash, at: at.Unix(), pass: m.pass}
}

// forget drops what no pass will read again: rows from before the given time that were not met
// since the given pass began. Above the bound it drops the oldest.
func (m *memory) forget(before time.Time, since uint32) {
	for key, known := range m.rows {
		if known.at < before.Unix() && known.pass < since {
			delete(m.rows, key)
		}
	}
	if len(m.rows) <= m.limit {
		return
	}
	times := make([]int64, 0, len(m.rows))
	for _, known := range m.rows {
		times = append(times, known.at)
	}
	slices.Sort(times)
	oldest := times[len(times)-m.limit]
	for key, known := range m.rows {
		if known.at < oldest {
			delete(m.rows, key)
		}
	}
}
