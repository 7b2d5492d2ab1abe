package publish

import "time"

// An identityState is the newest state published of an identity, of which all ways in show the
// whole. The zero value is an identity never met.
type identityState struct {
	changed     int64 // ms; 0 = it does not say
	read        int64 // ms
	offset      int64 // in the inbox
	fingerprint uint64
}

// reduce reports whether an identity's state is news, and returns the state after it. Of two states
// of one second, that which was read later is newer.
func (s identityState) reduce(f *identityFinding, offset int64) (bool, identityState) {
	known := resource{changed: s.changed, read: s.read, offset: s.offset}
	if s.fingerprint != 0 {
		known.row = []string{}
	}
	o := &observation{whole: true, changed: bounded(f.changed, f.read), read: f.read, offset: offset}
	if !known.olderThan(o, time.Second) {
		return false, s
	}
	next := identityState{changed: max(s.changed, o.changed), read: max(s.read, o.read), offset: max(s.offset, offset), fingerprint: f.state}
	return f.state != s.fingerprint, next
}
