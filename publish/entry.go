package publish

import (
	"encoding/binary"
	"errors"

	"github.com/ringbridge/ringbridge/schemas"
)

// The form of the values on the topic seen. The keys are text:
//
//	c:<api>:<content id>    a contentState
//	i:<api>:<identity id>   an identityState
//	m:<api>:<message id>    a messageState
//	e:<event id>            an event that can happen again has been published
//	r                       the seal, see rebuild
//
// All values begin with the version of the form:
//
//	e   version
//	i   version · timeline
//	r   version · first offset (uvarint)
//	c   version · published (1 byte) · timeline · known fields (uvarint, a bit each) · a fingerprint each
//
//	m   version · sighted (1 byte) · presence (1 byte) · rank (1 byte) · revivals (uvarint) · heard (varint, ms) ·
//	    count of statuses (uvarint) · a fingerprint each · timeline · known fields · a fingerprint each
//
//	timeline      at (varint, ms) · count (uvarint) · a fingerprint each
//	fingerprint   6 bytes, big endian
//
// In memory the same bytes are kept, by a hash of the key: some 130 bytes a
// content or a message, 60 an event. Nothing is ever forgotten, since a backfill
// may bring one of any age again.
const entryVersion = 1

// errEntry means that an entry cannot be read: another program, or a newer
// version of this one, wrote it.
var errEntry = errors.New("publish: an entry of the topic seen has a form this program does not know; was it written by a newer version?")

func contentKey(api schemas.Api, id string) string  { return "c:" + string(api) + ":" + id }
func identityKey(api schemas.Api, id string) string { return "i:" + string(api) + ":" + id }
func messageKey(api schemas.Api, id string) string  { return "m:" + string(api) + ":" + id }
func eventKey(id string) string                     { return "e:" + id }

// eventEntry is the value of every e: key.
const eventEntry = string(rune(entryVersion))

func (s contentState) entry() string {
	out := append([]byte{entryVersion, byte(s.published)}, s.bytes()...)
	return string(append(out, s.tracked.bytes()...))
}

func (s messageState) entry() string {
	sighted := byte(0)
	if s.sighted {
		sighted = 1
	}
	out := []byte{entryVersion, sighted, byte(s.presence), byte(s.rank)}
	out = binary.AppendUvarint(out, s.revivals)
	out = binary.AppendVarint(out, s.heard)
	out = binary.AppendUvarint(out, uint64(len(s.statuses)))
	for _, value := range s.statuses {
		out = appendFingerprint(out, value)
	}
	out = append(out, s.bytes()...)
	return string(append(out, s.tracked.bytes()...))
}

func (s identityState) entry() string {
	return string(append([]byte{entryVersion}, s.bytes()...))
}

func (t timeline) bytes() []byte {
	out := binary.AppendVarint(nil, t.at)
	out = binary.AppendUvarint(out, uint64(len(t.recent)))
	for _, value := range t.recent {
		out = appendFingerprint(out, value)
	}
	return out
}

func (t tracked) bytes() []byte {
	var known uint64
	for i, value := range t {
		if value != 0 {
			known |= 1 << i
		}
	}
	out := binary.AppendUvarint(nil, known)
	for _, value := range t {
		if value != 0 {
			out = appendFingerprint(out, value)
		}
	}
	return out
}

func appendFingerprint(out []byte, value uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], value)
	return append(out, b[8-fingerprintBytes:]...)
}

// readContentState reads an entry; "" is the zero state.
func readContentState(entry string) (contentState, error) {
	if entry == "" {
		return contentState{}, nil
	}
	r := entryReader{rest: []byte(entry)}
	r.version()
	s := contentState{published: once(r.byte())}
	s.timeline = r.timeline()
	s.tracked = r.tracked()
	return s, r.end()
}

// readMessageState reads an entry; "" is a message never met.
func readMessageState(entry string) (messageState, error) {
	s := messageState{timeline: timeline{exact: true}}
	if entry == "" {
		return s, nil
	}
	r := entryReader{rest: []byte(entry)}
	r.version()
	s.sighted, s.presence, s.rank = r.byte() != 0, presence(r.byte()), rank(r.byte())
	s.revivals, s.heard = r.uvarint(), r.varint()
	for range min(r.uvarint(), maxStatuses) {
		s.statuses = append(s.statuses, r.fingerprint())
	}
	s.timeline = r.timeline()
	s.exact = true
	s.tracked = r.tracked()
	return s, r.end()
}

// readIdentityState reads an entry; "" is the zero state.
func readIdentityState(entry string) (identityState, error) {
	if entry == "" {
		return identityState{}, nil
	}
	r := entryReader{rest: []byte(entry)}
	r.version()
	s := identityState{r.timeline()}
	return s, r.end()
}

// An entryReader reads an entry from its front; what does not fit is remembered.
type entryReader struct {
	rest []byte
	bad  bool
}

func (r *entryReader) take(n int) []byte {
	if len(r.rest) < n {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *entryReader) version() { r.bad = r.byte() != entryVersion || r.bad }

func (r *entryReader) byte() byte { return r.take(1)[0] }

func (r *entryReader) fingerprint() uint64 {
	var b [8]byte
	copy(b[8-fingerprintBytes:], r.take(fingerprintBytes))
	return binary.BigEndian.Uint64(b[:])
}

func (r *entryReader) uvarint() uint64 {
	value, n := binary.Uvarint(r.rest)
	r.take(max(n, 0))
	r.bad = r.bad || n <= 0
	return value
}

func (r *entryReader) varint() int64 {
	value, n := binary.Varint(r.rest)
	r.take(max(n, 0))
	r.bad = r.bad || n <= 0
	return value
}

// tracked reads fingerprints. A field that this program does not know has no
// meaning it could go on with.
func (r *entryReader) tracked() tracked {
	var t tracked
	known := r.uvarint()
	for i := range t {
		if known&(1<<i) != 0 {
			t[i] = r.fingerprint()
		}
	}
	r.bad = r.bad || known>>trackedFields != 0
	return t
}

func (r *entryReader) timeline() timeline {
	t := timeline{at: r.varint()}
	for range min(r.uvarint(), maxRecent+1) { // an update adds two
		t.recent = append(t.recent, r.fingerprint())
	}
	return t
}

// end returns errEntry unless all was read and understood.
func (r *entryReader) end() error {
	if r.bad || len(r.rest) > 0 {
		return errEntry
	}
	return nil
}
