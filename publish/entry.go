package publish

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

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
//	e   1
//	r   1 · first offset (uvarint)
//	i   2 · changed (varint, ms) · read (varint, ms) · offset (varint) · fingerprint
//	c   2 · single events (1 byte) · author shown (1 byte) · resource
//	m   2 · created (1 byte) · revivals (uvarint) · revived (varint, ms) ·
//	    count of statuses (uvarint) · a fingerprint each · resource
//
//	resource      updates (uvarint) · 1, changed, read (varint, ms), offset (varint), confirmed (varint, ms) and the row's values, or 0 ·
//	              count of claims (uvarint) · of each: number (uvarint) · from, at (varint, ms) · rank (uvarint) · value ·
//	              where there are claims: moment (varint, ms) · count of those met (uvarint) · a fingerprint each
//	values        which are not empty (uvarint, a bit each) · those
//	text          its length (uvarint) · its bytes
//	fingerprint   6 bytes, big endian
//
// Entries of version 1 held fingerprints where these hold values. They are read for what was
// published; the next observation of their resource shows the rest, as one update.
//
// In memory the same bytes are kept, by a hash of the key. Nothing is ever forgotten, since a
// backfill may bring one of any age again.
const (
	eventVersion = 1
	entryVersion = 2
)

// errEntry means that an entry cannot be read: another program, or a newer
// version of this one, wrote it.
var errEntry = errors.New("publish: an entry of the topic seen has a form this program does not know; was it written by a newer version?")

func contentKey(api schemas.Api, id string) string  { return "c:" + string(api) + ":" + id }
func identityKey(api schemas.Api, id string) string { return "i:" + string(api) + ":" + id }
func messageKey(api schemas.Api, id string) string  { return "m:" + string(api) + ":" + id }
func eventKey(id string) string                     { return "e:" + id }

// eventEntry is the value of every e: key.
const eventEntry = string(rune(eventVersion))

func (s contentState) entry() string {
	out := []byte{entryVersion, byte(s.published), bit(s.authorShown)}
	return string(s.append(out))
}

func (s messageState) entry() string {
	out := []byte{entryVersion, bit(s.created)}
	out = binary.AppendUvarint(out, s.revivals)
	out = binary.AppendVarint(out, s.revived)
	out = binary.AppendUvarint(out, uint64(len(s.statuses)))
	for _, value := range s.statuses {
		out = appendFingerprint(out, value)
	}
	return string(s.append(out))
}

func (s identityState) entry() string {
	out := binary.AppendVarint([]byte{entryVersion}, s.changed)
	out = binary.AppendVarint(out, s.read)
	out = binary.AppendVarint(out, s.offset)
	return string(appendFingerprint(out, s.fingerprint))
}

func (r *resource) append(out []byte) []byte {
	out = binary.AppendUvarint(out, r.updates)
	out = append(out, bit(r.row != nil))
	if r.row != nil {
		for _, at := range []int64{r.changed, r.read, r.offset, r.confirmed} {
			out = binary.AppendVarint(out, at)
		}
		out = appendValues(out, r.row)
	}
	out = binary.AppendUvarint(out, uint64(len(r.claims)))
	for _, number := range slices.Sorted(maps.Keys(r.claims)) {
		c := r.claims[number]
		out = binary.AppendUvarint(out, uint64(number))
		out = binary.AppendVarint(out, c.from)
		out = binary.AppendVarint(out, c.at)
		out = binary.AppendUvarint(out, uint64(c.rank))
		out = appendText(out, c.value)
	}
	if len(r.claims) == 0 {
		return out
	}
	out = binary.AppendVarint(out, r.moment)
	out = binary.AppendUvarint(out, uint64(len(r.met)))
	for _, met := range r.met {
		out = appendFingerprint(out, met)
	}
	return out
}

func appendValues(out []byte, values []string) []byte {
	var known uint64
	for number, value := range values {
		if value != "" {
			known |= 1 << number
		}
	}
	out = binary.AppendUvarint(out, known)
	for _, value := range values {
		if value != "" {
			out = appendText(out, value)
		}
	}
	return out
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

func appendFingerprint(out []byte, value uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], value)
	return append(out, b[8-fingerprintBytes:]...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// readContentState reads an entry; "" is the zero state.
func readContentState(entry string) (contentState, error) {
	if entry == "" {
		return contentState{}, nil
	}
	r := entryReader{rest: entry}
	if r.version() == 1 {
		return contentState{published: singleEvents(r.byte())}, r.fault()
	}
	s := contentState{published: singleEvents(r.byte()), authorShown: r.byte() != 0}
	s.resource = r.resource(len(contentFields))
	return s, r.end()
}

// readMessageState reads an entry; "" is a message never met.
func readMessageState(entry string) (messageState, error) {
	if entry == "" {
		return messageState{}, nil
	}
	r := entryReader{rest: entry}
	old := r.version() == 1
	s := messageState{created: r.byte() != 0}
	if old {
		r.take(2) // presence and rank
	}
	s.revivals, s.revived = r.uvarint(), r.varint()
	for range min(r.uvarint(), maxStatuses) {
		s.statuses = append(s.statuses, r.fingerprint())
	}
	if old {
		return s, r.fault()
	}
	s.resource = r.resource(len(messageFields))
	return s, r.end()
}

// readIdentityState reads an entry; "" is the zero state.
func readIdentityState(entry string) (identityState, error) {
	if entry == "" {
		return identityState{}, nil
	}
	r := entryReader{rest: entry}
	if r.version() == 1 {
		return identityState{changed: r.varint(), fingerprint: 1}, r.fault()
	}
	s := identityState{changed: r.varint(), read: r.varint(), offset: r.varint(), fingerprint: r.fingerprint()}
	return s, r.end()
}

// An entryReader reads an entry from its front; what does not fit is remembered.
type entryReader struct {
	rest string
	bad  bool
}

func (r *entryReader) take(n int) string {
	if n < 0 || len(r.rest) < n {
		r.bad, r.rest = true, ""
		return ""
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *entryReader) version() byte {
	version := r.byte()
	r.bad = version != 1 && version != entryVersion || r.bad
	return version
}

func (r *entryReader) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *entryReader) fingerprint() uint64 {
	var b [8]byte
	copy(b[8-fingerprintBytes:], r.take(fingerprintBytes))
	return binary.BigEndian.Uint64(b[:])
}

func (r *entryReader) uvarint() uint64 {
	value, n := binary.Uvarint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	r.take(n)
	r.bad = r.bad || n <= 0
	return value
}

func (r *entryReader) varint() int64 {
	value, n := binary.Varint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	r.take(n)
	r.bad = r.bad || n <= 0
	return value
}

func (r *entryReader) text() string {
	size := r.uvarint()
	if size > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	return r.take(int(size))
}

func (r *entryReader) resource(fields int) resource {
	out := resource{updates: r.uvarint()}
	if r.byte() != 0 {
		out.changed, out.read, out.offset, out.confirmed = r.varint(), r.varint(), r.varint(), r.varint()
		out.row = r.values(fields)
	}
	for range min(r.uvarint(), uint64(fields)) {
		number := r.uvarint()
		c := claim{from: r.varint(), at: r.varint(), rank: int(r.uvarint()), value: r.text()}
		r.bad = r.bad || number >= uint64(fields)
		out.claim(int(number), c)
	}
	if len(out.claims) == 0 {
		return out
	}
	out.moment = r.varint()
	for range min(r.uvarint(), maxMet) {
		out.met = append(out.met, r.fingerprint())
	}
	return out
}

// values reads the values of a row. A field that this program does not know has no meaning that it
// could go on with.
func (r *entryReader) values(fields int) []string {
	out := make([]string, fields)
	known := r.uvarint()
	for number := range out {
		if known&(1<<number) != 0 {
			out[number] = r.text()
		}
	}
	r.bad = r.bad || known>>fields != 0
	return out
}

// fault returns errEntry unless what was read was understood.
func (r *entryReader) fault() error {
	if r.bad {
		return errEntry
	}
	return nil
}

// end returns errEntry unless all was read and understood.
func (r *entryReader) end() error {
	r.bad = r.bad || r.rest != ""
	return r.fault()
}
