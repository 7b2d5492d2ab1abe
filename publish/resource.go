package publish

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// issueLag is how much later than a change the webhook that reports it may have been issued. A
// webhook does not say when its content changed, a row does: without the lag, a row that was read
// after the webhook and shows a change of just before it would pass for older.
const issueLag = 10 * time.Second

// clockSlack is how far ahead of ours the API's clock may be. A time beyond it is no time: it would
// make everything true afterwards pass for older.
const clockSlack = time.Minute

// An observation is what one arrival shows of a resource: all of its fields (a row of a list, a
// single GET), or some of them at a moment (a webhook). Times are in milliseconds.
type observation struct {
	values []string // by field number
	whole  bool     // a row: what it lacks is empty
	shown  []int    // of a webhook: the numbers of the fields that it shows

	// Of a row: when the resource changed last, 0 where it does not say; and when it was read.
	changed, read int64
	offset        int64 // in the inbox, of what the poller has read; else 0
	fresh         bool  // a single GET, which no list holds back: it is newer than every webhook before it
	// Of a webhook: between from and at the resource was as it says, and from = 0 makes every row
	// newer; print distinguishes those of one moment. at = 0 is older than everything: it fills in what is not known, the greatest
	// rank first.
	from, at int64
	print    uint64
	rank     int
}

// A claim is the value of a field that a webhook has shown and no newer row has confirmed.
type claim struct {
	value    string
	from, at int64
	rank     int // orders claims of one moment
}

// before reports whether c is older than a claim of the same field.
func (c claim) before(other claim) bool {
	return cmp.Or(cmp.Compare(c.at, other.at), cmp.Compare(c.rank, other.rank)) < 0
}

// maxMet bounds the webhooks of one moment that are distinguished. Further ones count as the last.
const maxMet = 64

// A resource is the newest that all ways in have shown, field by field: the newest row, and over it
// the claims of webhooks that are newer than the row. It is the same whatever order the observations
// come in, and however often, so that a replay changes nothing. The zero value is one never met.
//
// A row is newer than another one that changed in an earlier second, or in the same second and was
// read before: rows have seconds. (Messages have milliseconds.) The poller's rows come in as they were
// read, so that the inbox's order shows it where a clock was set back. A row is newer than a claim when it was
// read after the webhook was issued, and changed issueLag before that at most. A list that lags
// behind does not hide a webhook for longer than that.
type resource struct {
	row       []string // values of the newest row; nil = there was none
	changed   int64    // ms, when the row changed; 0 = no row has said
	read      int64    // ms, when any row was read last
	offset    int64    // of the last row in the inbox
	confirmed int64    // ms: any row shows a change of then, or was read then and is fresh or does not say
	claims    map[int]claim
	moment    int64    // ms, at which the newest webhook over the row was issued
	met       []uint64 // the prints of the webhooks of that moment, as they came in; never changed in place
	updates   uint64   // updates published: distinguishes two of equal state
}

// value returns the newest value of a field.
func (r *resource) value(number int) string {
	if c, ok := r.claims[number]; ok {
		return c.value
	}
	if number < len(r.row) {
		return r.row[number]
	}
	return ""
}

// apply returns the resource with an observation. unit is that of the times of change. r is not
// changed.
func (r resource) apply(o *observation, unit time.Duration) resource {
	if o.whole {
		return r.withRow(o, unit)
	}
	return r.withClaims(o)
}

func (r resource) withRow(o *observation, unit time.Duration) resource {
	if r.olderThan(o, unit) {
		r.row = o.values
		r.changed = max(r.changed, o.changed)
	}
	r.read, r.offset = max(r.read, o.read), max(r.offset, o.offset)
	r.confirmed = max(r.confirmed, cmp.Or(o.changed, o.read))
	if o.fresh {
		r.confirmed = max(r.confirmed, o.read)
	}
	if len(r.claims) == 0 {
		return r
	}
	claims := r.claims
	r.claims = nil
	for number, c := range claims {
		if !r.supersedes(c.from, c.at) {
			r.claim(number, c)
		}
	}
	if len(r.claims) == 0 {
		r.moment, r.met = 0, nil
	}
	return r
}

// olderThan reports whether a row is newer than the one known.
func (r resource) olderThan(o *observation, unit time.Duration) bool {
	if r.row == nil {
		return true
	}
	later := o.read > r.read || o.offset > r.offset
	if o.changed == 0 {
		return later
	}
	size := unit.Milliseconds()
	was, is := floor(r.changed, size), floor(o.changed, size)
	return is > was || is == was && later
}

func floor(ms, unit int64) int64 { return ms - ((ms%unit)+unit)%unit }

// supersedes reports whether the row is newer than a claim.
func (r resource) supersedes(from, at int64) bool {
	return r.row != nil && (from == 0 || r.read >= at && r.confirmed >= from)
}

func (r resource) withClaims(o *observation) resource {
	if r.supersedes(o.from, o.at) || len(o.shown) == 0 {
		return r
	}
	rank := o.rank
	if o.print != 0 {
		rank = r.meet(o)
	}
	r.claims = maps.Clone(r.claims)
	for _, number := range o.shown {
		c := claim{value: o.values[number], from: o.from, at: o.at, rank: rank}
		if known, ok := r.claims[number]; !ok || known.before(c) {
			r.claim(number, c)
		}
	}
	return r
}

// meet remembers a webhook of the newest moment, and returns its rank among those of its moment: of
// two, that which came in later is newer, unless it has come in before.
func (r *resource) meet(o *observation) int {
	switch {
	case o.at < r.moment:
		return 0
	case o.at > r.moment:
		r.moment, r.met = o.at, nil
	}
	if i := slices.Index(r.met, o.print); i >= 0 {
		return i
	}
	if len(r.met) < maxMet {
		r.met = append(slices.Clone(r.met), o.print)
	}
	return len(r.met) - 1
}

func (r *resource) claim(number int, c claim) {
	if r.claims == nil {
		r.claims = map[int]claim{}
	}
	r.claims[number] = c
}

// occurrence distinguishes an update of the resource from all others of it.
func (r *resource) occurrence(fields int, more ...string) string {
	values := append([]string{strconv.FormatInt(r.changed, 10), strconv.FormatUint(r.updates, 10)}, more...)
	for number := range fields {
		values = append(values, r.value(number))
	}
	return strconv.FormatUint(fingerprint(values...), 16)
}

// differences returns the numbers of the fields that differ between two states of a resource.
func differences[T any](fields []field[T], was, is *resource) (out []int) {
	for number, f := range fields {
		if !f.same(was.value(number), is.value(number)) {
			out = append(out, number)
		}
	}
	return out
}

// fill sets the fields of a resource's value.
func fill[T any](fields []field[T], r *resource, value *T) {
	for number, f := range fields {
		f.set(value, r.value(number))
	}
}

// observeRow returns what a row shows.
func observeRow[T any](fields []field[T], value *T, changed *time.Time, read int64) *observation {
	o := &observation{values: make([]string, len(fields)), whole: true, changed: bounded(changed, read), read: read}
	for number, f := range fields {
		o.values[number] = f.get(value)
	}
	return o
}

// observeEvent returns what a webhook shows: the fields that pass.
func observeEvent[T any](fields []field[T], value *T, pass func(name, stored string) bool) *observation {
	o := &observation{values: make([]string, len(fields))}
	for number, f := range fields {
		if stored := f.get(value); pass(f.name, stored) {
			o.values[number] = stored
			o.shown = append(o.shown, number)
		}
	}
	return o
}

// numbersOf returns the numbers of fields by their names.
func numbersOf[T any](fields []field[T], names ...string) (out []int) {
	for number, f := range fields {
		if slices.Contains(names, f.name) {
			out = append(out, number)
		}
	}
	return out
}

// bounded returns the time of a state as shown, or 0 where there is none that can be true at a time
// of reading.
func bounded(shown *time.Time, read int64) int64 {
	if shown == nil || millis(*shown) > read+clockSlack.Milliseconds() {
		return 0
	}
	return millis(*shown)
}
