package poll

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// cursorVersion is the form of a cursor. A later program may change what the
// fields mean; one that is older than the cursor must not guess.
const cursorVersion = 1

// saveTimeout bounds the writing of a cursor. It is written again after the next
// round, so waiting longer gains nothing.
const saveTimeout = 10 * time.Second

// A cursor is what a stream's next owner must know. It never claims more than the
// inbox has.
type cursor struct {
	Version int `json:"version"`
	// Since is where the stream began: older rows are backfill's. It never changes.
	Since time.Time `json:"since"`
	// Known is the time up to which the rows are in the inbox; zero until the first
	// round is over. It goes by the times of rows, as our clock may be wrong.
	Known time.Time `json:"known,omitzero"`
	// Swept is when the last complete sweep began: rows imported before it that
	// were at most POLL_SWEEP late are in the inbox.
	Swept time.Time `json:"swept"`
	// Census is how many rows the list had.
	Census census `json:"census"`
	// Unseen is how many rows came, by the census, that nobody has found yet: a sweep
	// is owed.
	Unseen int `json:"unseen,omitempty"`
	// Missing is the time from which on rows may be missing, as a part of the list could not be
	// read: a sweep reads back to it until it can. Zero = none are.
	Missing time.Time `json:"missing,omitzero"`
	// Token continues the message store's sync from where the inbox has it all; empty
	// for other streams, and while there is none.
	Token string `json:"token,omitempty"`
	// Owed is from when on the message store was not read in full; zero = it was.
	Owed time.Time `json:"owed,omitzero"`
}

// bound returns how far a round reads back.
func (c cursor) bound(overlap time.Duration) time.Time {
	if c.Known.IsZero() {
		return c.Since
	}
	return c.Known.Add(-overlap)
}

// notAfter takes back what a wrong clock, set right since, has put into the future:
// until then nothing would be taken for new.
func (c *cursor) notAfter(now time.Time, overlap time.Duration) {
	c.Since = earlier(c.Since, now.Add(-overlap).UTC().Truncate(time.Second))
	c.Known = earlier(c.Known, now.UTC().Round(0))
	c.Swept = earlier(c.Swept, now.UTC().Round(0))
}

// cursors keeps cursors in a compacted topic, under the names of their streams.
// The client must partition by hand.
type cursors struct {
	client  *kgo.Client
	options []kgo.Opt
	topic   string
}

// load returns the newest cursors of a partition, as they are. It waits for as
// long as the broker is out; only ctx ends it.
func (c *cursors) load(ctx context.Context, partition int32) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := kafka.ReadAll(ctx, c.options, c.topic, partition, func(r *kgo.Record) {
		found[string(r.Key)] = r.Value // none in a tombstone: the stream begins anew
	})
	if err != nil {
		return nil, fmt.Errorf("poll: load cursors: %w", err)
	}
	return found, nil
}

// parseCursor reads a cursor; nil means that there is none.
func parseCursor(value []byte) (*cursor, error) {
	if len(value) == 0 {
		return nil, nil
	}
	var c cursor
	if err := json.Unmarshal(value, &c); err != nil {
		return nil, fmt.Errorf("poll: read cursor: %w", err)
	}
	if c.Version != cursorVersion || c.Since.IsZero() || c.Swept.IsZero() {
		return nil, fmt.Errorf("poll: read cursor: its version %d is not this program's %d, or a time is missing", c.Version, cursorVersion)
	}
	return &c, nil
}

// save writes a cursor and returns nil when the broker has acknowledged it. One
// given up may be written all the same, even after a later one: that costs its
// reader time and loses nothing.
func (c *cursors) save(ctx context.Context, partition int32, stream string, cur cursor) error {
	value, err := json.Marshal(cur)
	if err != nil {
		return fmt.Errorf("poll: %w: %w", errCursor, err)
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	acked := make(chan error, 1)
	record := &kgo.Record{Topic: c.topic, Partition: partition, Key: []byte(stream), Value: value}
	c.client.TryProduce(ctx, record, func(_ *kgo.Record, err error) { acked <- err })
	select {
	case err = <-acked:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("poll: %w: %w", errCursor, err)
	}
	return nil
}
