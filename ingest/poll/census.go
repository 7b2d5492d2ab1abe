package poll

import "time"

// A census notices rows that the rounds cannot see: the list tells how many rows
// there are, and when that grows by more than the new rows found, the others lie
// deeper than a round reads. Deleted rows can hide late ones from it: what it
// misses the regular sweeps find.
type census struct {
	// Count is how many rows the list had, and Newest when the newest of its first
	// page was imported, by the API's own clock.
	Count  int       `json:"count"`
	Newest time.Time `json:"newest,omitzero"`
}

// censusSlack is how long a row may take from its id to the list: the id is made
// first, and the index lags.
const censusSlack = 5 * time.Minute

// fresh reports whether a row that was not met before came after the census.
// bound is where a round ends: a row above it would have been met.
//
// An owner that has just begun has met nothing. It goes by the import alone, and
// strictly, so that it rather sweeps once too often.
func (c census) fresh(r row, bound time.Time, warm bool) bool {
	inRound := !r.at.Before(bound)
	switch {
	case r.imported.IsZero():
		return inRound
	case warm:
		return inRound || r.imported.After(c.Newest.Add(-censusSlack))
	}
	return r.imported.After(c.Newest)
}

// unseen returns how many rows came since the census that a pass did not find,
// given how many fresh ones it found.
func (c census) unseen(next census, fresh int) int {
	if c.Count == 0 || next.Count == 0 {
		return 0 // the list does not tell, or nobody asked before
	}
	return max(next.Count-c.Count-fresh, 0)
}

// take counts a list's first page.
func take(head page) census {
	next := census{}
	if head.count >= len(head.rows) {
		next.Count = head.count
	}
	for _, r := range head.rows {
		if r.imported.After(next.Newest) {
			next.Newest = r.imported
		}
	}
	return next
}
