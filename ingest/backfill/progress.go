package backfill

import "time"

// Progress is how far a stream's backfill has got.
type Progress struct {
	Stream  string
	Span    Span
	Resumed bool      // an earlier run had begun it
	Reached time.Time // all rows of the span before it are in the inbox
	Rows    int       // written by this run
	LeftOut int       // rows that the inbox cannot hold
	Missing int       // rows that the API does not give, at least
	// Done of Total rows of this run are behind; a Total of 0 is not known.
	Done, Total int
	Waiting     string // what it does instead of going on, if it does not
	End         bool   // all of the span is in the inbox
	Incomplete  bool   // the run is over, and rows are missing: the next one begins at Reached
}

// Fraction returns how much is done, 0 to 1: of the rows where their number is known,
// else of the time.
func (p Progress) Fraction() float64 {
	switch span := p.Span.Until.Sub(p.Span.From); {
	case p.End:
		return 1
	case p.Total > 0:
		return min(float64(p.Done)/float64(p.Total), 1)
	case span > 0:
		return min(max(float64(p.Reached.Sub(p.Span.From))/float64(span), 0), 1)
	}
	return 0
}
