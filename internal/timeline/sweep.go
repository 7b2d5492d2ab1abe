package timeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

// firstStretch is the newest stretch of time that is read; each one before it is
// stretchGrowth times as long. Most questions are about the last hour.
const (
	firstStretch  = time.Hour
	stretchGrowth = 4
)

// wanted tells which records are searched for.
type wanted struct {
	// maybe is asked first, of the bytes: most records are not what is wanted, and
	// decoding them would cost the most.
	maybe func(*kgo.Record) bool
	// is decides; the value is nil where it can't be decoded.
	is func(*kgo.Record, schemas.Value) bool
}

// sweep reads the parts from now back to the query's Since, stretch by stretch.
func (s *search) sweep(ctx context.Context, parts []part, want wanted) error {
	ends := map[part]int64{}
	for _, p := range parts {
		end, _ := s.ends.Lookup(p.topic, p.partition)
		ends[p] = end.Offset
	}
	edge, length := time.Now(), firstStretch
	s.from = edge
	for {
		edge, length = edge.Add(-length), length*stretchGrowth
		last := edge.Unix() <= 0 || !edge.After(s.q.Since)
		if last {
			edge = s.q.Since
		}
		firsts, err := s.firsts(ctx, edge, ends)
		if err != nil {
			return err
		}
		left := false
		for _, p := range parts {
			if err := s.read(ctx, p, firsts[p], ends[p], want); err != nil {
				return err
			}
			ends[p] = firsts[p]
			begin, _ := s.begins.Lookup(p.topic, p.partition)
			left = left || firsts[p] > begin.Offset
		}
		if last || !left {
			s.from = s.q.Since
			return nil
		}
		s.from = edge
	}
}

// firsts returns where the records of the parts begin that are not older than a
// time, and not after the ends.
func (s *search) firsts(ctx context.Context, since time.Time, ends map[part]int64) (map[part]int64, error) {
	listed := s.begins
	if since.Unix() > 0 {
		var topics []string
		for p := range ends {
			if !slices.Contains(topics, p.topic) {
				topics = append(topics, p.topic)
			}
		}
		var err error
		if listed, err = s.adm.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topics...); err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, err
		}
	}
	firsts := map[part]int64{}
	for p, end := range ends {
		first, _ := listed.Lookup(p.topic, p.partition)
		firsts[p] = min(first.Offset, end)
	}
	return firsts, nil
}

// read takes what is wanted of a stretch of a part.
func (s *search) read(ctx context.Context, p part, first, end int64, want wanted) error {
	if first >= end {
		return nil
	}
	var fault error
	span := kafka.Span{Topic: p.topic, Partition: p.partition, First: first, End: end}
	err := kafka.ReadSpan(ctx, s.client, span, func(record *kgo.Record) bool {
		fault = s.consider(ctx, record, want)
		return fault == nil
	})
	return cmp.Or(fault, err)
}

func (s *search) consider(ctx context.Context, record *kgo.Record, want wanted) error {
	if err := s.spent.look(record); err != nil || !want.maybe(record) {
		return err
	}
	value, err := s.t.decode(ctx, record)
	if err != nil || !want.is(record, value) {
		return err
	}
	return s.take(record, value)
}
