package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// redriveGroup is the consumer group that remembers which letters were sent
// back.
const redriveGroup = "dlq-redrive"

// maxMetadata is what a broker keeps beside a committed offset by default
// (offset.metadata.max.bytes).
const maxMetadata = 4096

// errScattered says that the letters sent back lie too far apart to be
// remembered.
var errScattered = errors.New("the letters sent back so far lie too scattered to be remembered one by one: send back without filters, or with --until, so that they become whole stretches")

// redriveProgress remembers which letters of a topic were sent back.
//
// Filters leave letters out, so one offset a partition does not tell it. The
// group's committed offset is the first letter that was not sent back, and the
// metadata beside it holds the stretches after it that were:
//
//	letters   0 1 2 3 4 5 6 7 8 9        sent back: 0 1 2 5 6 9
//	committed       ^offset 3            metadata: [5,7) [9,10)
//
// Offsets without a letter (the markers of transactions, and what retention has
// deleted) count with the letter after them, so that stretches grow together.
type redriveProgress struct {
	adm        *kadm.Client
	group      string
	topic      string
	partitions map[int32]*stretches
}

func loadProgress(ctx context.Context, adm *kadm.Client, group, topic string) (*redriveProgress, error) {
	p := &redriveProgress{adm: adm, group: group, topic: topic, partitions: map[int32]*stretches{}}
	committed, err := adm.FetchOffsetsForTopics(ctx, group, topic)
	if err == nil {
		err = committed.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return p, nil // nothing was ever sent back
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: read the progress of group %s: %w", group, err)
	}
	committed.Each(func(o kadm.OffsetResponse) {
		if o.At >= 0 {
			p.partitions[o.Partition] = decodeStretches(o.At, o.Metadata)
		}
	})
	return p, nil
}

func (p *redriveProgress) done(partition int32, offset int64) bool {
	s := p.partitions[partition]
	return s != nil && s.contains(offset)
}

// commit remembers that the letter was sent back, or returns errScattered when
// it can't be remembered; ask canCommit before sending.
func (p *redriveProgress) commit(ctx context.Context, l letter) error {
	partition, offset := l.record.Partition, l.record.Offset
	next := p.with(l)
	metadata, err := next.encode()
	if err != nil {
		return err
	}
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: p.topic, Partition: partition, At: next.base, LeaderEpoch: -1, Metadata: metadata})
	if err := p.adm.CommitAllOffsets(ctx, p.group, offsets); err != nil {
		return fmt.Errorf("kafka: remember letter %d/%d in group %s: %w", partition, offset, p.group, err)
	}
	p.partitions[partition] = next
	return nil
}

func (p *redriveProgress) canCommit(l letter) error {
	_, err := p.with(l).encode()
	return err
}

func (p *redriveProgress) with(l letter) *stretches {
	next := &stretches{}
	if s := p.partitions[l.record.Partition]; s != nil {
		next.base = s.base
		next.after = append(next.after, s.after...)
	}
	next.add(stretch{l.before + 1, l.record.Offset + 1})
	return next
}

// stretches is a set of offsets: all below base, and those in after.
type stretches struct {
	base  int64
	after []stretch // ordered, apart from each other and from base
}

// stretch is the offsets from first up to but not including end.
type stretch struct{ first, end int64 }

func (s *stretches) contains(offset int64) bool {
	if offset < s.base {
		return true
	}
	for _, x := range s.after {
		if x.first <= offset && offset < x.end {
			return true
		}
	}
	return false
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

// encode writes the stretches as base64 of varints: the gap before each, and
// its length.
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
		return "", errScattered
	}
	return text, nil
}

// decodeStretches reads what encode wrote. What can't be read is left out:
// letters are sent back once more then, and refused if they have succeeded.
func decodeStretches(base int64, metadata string) *stretches {
	s := &stretches{base: base}
	raw, err := base64.RawStdEncoding.DecodeString(metadata)
	if err != nil {
		return s
	}
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
