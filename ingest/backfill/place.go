package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

const (
	// placeKey comes before a stream's name, and makes the key of its place: the
	// poller keeps its cursors under the bare names.
	placeKey = "backfill/"
	// placeVersion is the form of a place; an older program must not guess.
	placeVersion = 1
	// saveTimeout bounds the writing of a place.
	saveTimeout = 10 * time.Second
)

// A Span is a part of the past: from From on, up to Until, which is not in it.
type Span struct{ From, Until time.Time }

// A Place is how far a stream's backfill has got: the rows from From on, up to
// Reached, are in the inbox.
type Place struct {
	Version int       `json:"version"`
	From    time.Time `json:"from"`
	Reached time.Time `json:"reached"`
	Until   time.Time `json:"until"`
	Rows    int       `json:"rows"` // written, in all starts together
	Updated time.Time `json:"updated"`
}

// begin returns where a backfill of the span begins: at the place, if the place is
// about the same stretch of the past, else anew. Without an end of its own it keeps
// that of the place until that is reached, and then goes up to now.
func begin(kept *Place, asked Span, now time.Time) Place {
	fresh := Place{Version: placeVersion, From: asked.From, Reached: asked.From, Until: asked.Until}
	if fresh.Until.IsZero() {
		fresh.Until = now
	}
	if kept == nil || asked.From.Before(kept.From) || asked.From.After(kept.Reached) {
		return fresh
	}
	p := *kept
	switch {
	case !asked.Until.IsZero():
		p.Until = asked.Until
	case !p.Reached.Before(p.Until):
		p.Until = now
	}
	return p
}

// Places keeps places in the topic cursors. It is used by one goroutine.
type Places struct {
	client  *kgo.Client
	options []kgo.Opt
	topic   string
}

// NewPlaces returns the places of a topic. The client must leave the choice of the
// partition to the key, as it does by itself; the options are those it was made with.
func NewPlaces(client *kgo.Client, options []kgo.Opt, topics kafka.Names) *Places {
	return &Places{client: client, options: options, topic: topics.Cursors}
}

// Load returns a stream's place, nil where there is none. It waits for as long as
// the broker is out; only ctx ends it.
func (p *Places) Load(ctx context.Context, stream string) (*Place, error) {
	details, err := kadm.NewClient(p.client).ListTopics(ctx, p.topic)
	if err == nil {
		err = details[p.topic].Err
	}
	if err != nil {
		return nil, fmt.Errorf("backfill: list topic %s: %w", p.topic, err)
	}
	var value []byte
	for _, partition := range details[p.topic].Partitions.Numbers() {
		err := kafka.ReadAll(ctx, p.options, p.topic, partition, func(r *kgo.Record) {
			if string(r.Key) == placeKey+stream {
				value = r.Value // none in a tombstone
			}
		})
		if err != nil {
			return nil, fmt.Errorf("backfill: read place: %w", err)
		}
	}
	return parsePlace(value)
}

func parsePlace(value []byte) (*Place, error) {
	if len(value) == 0 {
		return nil, nil
	}
	var place Place
	if err := json.Unmarshal(value, &place); err != nil || place.Version != placeVersion {
		return nil, errors.New("backfill: the place was written by another version of this program: go on with that one, or begin anew")
	}
	return &place, nil
}

// Save writes a stream's place and returns nil when the broker has acknowledged it.
func (p *Places) Save(ctx context.Context, stream string, place Place) error {
	value, err := json.Marshal(place)
	if err != nil {
		return fmt.Errorf("backfill: write place: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	record := &kgo.Record{Topic: p.topic, Key: []byte(placeKey + stream), Value: value}
	if err := p.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("backfill: write place: %w", err)
	}
	return nil
}
