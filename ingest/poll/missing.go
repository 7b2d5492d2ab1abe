package poll

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// Why a row could not be used: a metric label.
const (
	unreadableRefused = "refused" // the API does not give it
	unreadableNull    = "null"    // it is null
)

func unreadableCauses() []string { return []string{unreadableRefused, unreadableNull} }

// faulty notes why a part of the list cannot be read.
func (s *stream) faulty(err error) { s.fault = err }

// miss notes in the cursor that rows from a time on may be missing; zero = none are. What is on
// record already stays: only a sweep that has read it all takes it off.
func (s *stream) miss(from time.Time) {
	before := s.cursor.Missing
	s.cursor.Missing = earliest(before, from).UTC()
	s.reportMissing()
	if before.IsZero() && !from.IsZero() {
		s.sweeps.postpone(s.now(), s.now())
	}
}

// reportMissing keeps metric and log in step with the cursor: one line when a part of the list
// can't be read, and one when it has been read.
func (s *stream) reportMissing() {
	missing := !s.cursor.Missing.IsZero()
	if missing == s.missing {
		return
	}
	s.missing = missing
	s.metrics.setIncomplete(s.kind.stream, missing)
	if !missing {
		s.log.Info("the part of the list that could not be read has been read")
		return
	}
	s.log.Warn("a part of the list can't be read: polling goes on without it, sweeps try again",
		"from", s.cursor.Missing, "retry_min", missingPauseMin, "retry_max", missingPauseMax, "error", s.fault)
}

// refusesRequest reports whether an error is a definite no to a request as it was put, which
// another order, size or page token may change.
func refusesRequest(err error) bool {
	return judge(err) == resultRefused && isPageFault(err, true)
}

// A Hole is a part of a stream that is on record as not read in full.
type Hole struct {
	Stream string
	From   time.Time // rows from this time on may be missing
}

// Holes returns what the topic cursors has on record, by stream, for whoever does not run the streams. It
// waits for as long as the broker is out; only ctx ends it.
func Holes(ctx context.Context, options []kgo.Opt, topics kafka.Names, partitions []int32) (holes []Hole, err error) {
	kept := cursors{options: options, topic: topics.Cursors}
	for _, partition := range partitions {
		values, err := kept.load(ctx, partition)
		if err != nil {
			return nil, err
		}
		for _, stream := range slices.Concat(EngageStreams(), SocialStreams(), []string{MessagesStream}) {
			c, err := parseCursor(values[stream])
			if err != nil {
				return nil, err
			}
			if c == nil {
				continue
			}
			if from := earliest(c.Missing, c.Owed); !from.IsZero() {
				holes = append(holes, Hole{stream, from})
			}
		}
	}
	slices.SortFunc(holes, func(a, b Hole) int { return cmp.Compare(a.Stream, b.Stream) })
	return holes, nil
}
