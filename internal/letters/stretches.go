package letters

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
)

// maxMetadata is what a broker keeps beside a committed offset by default
// (offset.metadata.max.bytes).
const maxMetadata = 4096

// maxPacked bounds what packed metadata may become: more than fits, packed as
// well as can be.
const maxPacked = 1 << 20

// packedMark begins metadata that is packed; base64 does not know it.
const packedMark = "."

// ErrScattered says that the letters dealt with lie too far apart to be
// remembered: several tens of thousands of a partition, one here, one there.
// Nothing was done with the letter, or the batch, that it was returned for.
var ErrScattered = errors.New("the letters dealt with so far lie too scattered to be remembered one by one: deal with those between them first, such as all up to a time (--until), so that they become whole stretches")

// stretches is a set of offsets: all below base, and those in after.
type stretches struct {
	base  int64
	after []stretch // ordered, apart from each other and from base
}

// stretch is the offsets from first up to but not including end.
type stretch struct{ first, end int64 }

func (s *stretches) clone() *stretches {
	return &stretches{base: s.base, after: slices.Clone(s.after)}
}

func (s *stretches) contains(offset int64) bool {
	if offset < s.base {
		return true
	}
	i, _ := slices.BinarySearchFunc(s.after, offset, func(x stretch, offset int64) int { return cmp.Compare(x.end-1, offset) })
	return i < len(s.after) && s.after[i].first <= offset
}

// add puts a stretch into the set; it may overlap what is there.
func (s *stretches) add(added stretch) {
	var kept []stretch
	for _, x := range s.after {
		if x.end < added.first || added.end < x.first {
			kept = append(kept, x)
			continue
		}
		added = stretch{min(x.first, added.first), max(x.end, added.end)}
	}
	if added.first <= s.base {
		s.base, s.after = max(s.base, added.end), kept
		return
	}
	kept = append(kept, added)
	slices.SortFunc(kept, func(a, b stretch) int { return cmp.Compare(a.first, b.first) })
	s.after = kept
}

// merge puts all of another set into this one.
func (s *stretches) merge(other *stretches) {
	all := slices.Concat(s.after, other.after)
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.first, b.first) })
	s.base, s.after = max(s.base, other.base), nil
	for _, x := range all {
		last := len(s.after) - 1
		switch {
		case x.first <= s.base:
			s.base = max(s.base, x.end)
		case last >= 0 && x.first <= s.after[last].end:
			s.after[last].end = max(s.after[last].end, x.end)
		default:
			s.after = append(s.after, x)
		}
	}
}

// encode writes the stretches as base64 of varints, the gap before each and its
// length; packed where they take more room than there is.
func (s *stretches) encode() (string, error) {
	var raw []byte
	at := s.base
	for _, x := range s.after {
		raw = binary.AppendUvarint(raw, uint64(x.first-at))
		raw = binary.AppendUvarint(raw, uint64(x.end-x.first))
		at = x.end
	}
	text := base64.RawStdEncoding.EncodeToString(raw)
	if len(text) > maxMetadata {
		text = packedMark + base64.RawStdEncoding.EncodeToString(pack(raw))
	}
	if len(text) > maxMetadata {
		return "", ErrScattered
	}
	return text, nil
}

func pack(raw []byte) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // fails for a wrong level only
	_, _ = w.Write(raw)
	_ = w.Close()
	return packed.Bytes()
}

// unpack returns the varints of metadata, as far as they can be read.
func unpack(metadata string) []byte {
	text, packed := strings.CutPrefix(metadata, packedMark)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	if packed {
		raw, _ = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxPacked))
	}
	return raw
}

// decodeStretches reads what encode wrote. What can't be read is left out:
// letters are waiting again then, and not sent back if they have succeeded.
func decodeStretches(base int64, metadata string) *stretches {
	s := &stretches{base: base}
	raw := unpack(metadata)
	at := base
	for len(raw) > 0 {
		gap, n := binary.Uvarint(raw)
		if n <= 0 {
			return s
		}
		length, m := binary.Uvarint(raw[n:])
		if m <= 0 {
			return s
		}
		first := at + int64(gap)
		at = first + int64(length)
		s.after = append(s.after, stretch{first, at})
		raw = raw[n+m:]
	}
	return s
}
