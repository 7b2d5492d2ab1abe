package publish

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// warmBound is how long the reading of known authors may take.
	warmBound = time.Minute
	// warmSpan is how many offsets are read at once: it bounds the memory.
	warmSpan = 5000
)

// warm fills the cache of authors with the newest of the topic identities, so
// that a process that has just started asks for none that the bridge has
// published. It holds nothing up: an author that it has not come to is asked for.
func (p *Publisher) warm(ctx context.Context) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, warmBound)
	defer cancel()
	known, err := p.readAuthors(ctx)
	switch {
	case err == nil:
		p.deps.Logger.Info("authors read from the topic", "authors", known, "took", time.Since(begun))
	case !errors.Is(ctx.Err(), context.Canceled):
		p.deps.Logger.Warn("authors could not be read from the topic: the API is asked for them", "topic", p.deps.Names.Identities, "authors", known, "error", err)
	}
}

// readAuthors reads each partition backwards from its end, until as many are known
// as the cache takes, and returns how many that are.
func (p *Publisher) readAuthors(ctx context.Context) (known int, err error) {
	client, err := kgo.NewClient(slices.Clone(p.deps.Kafka)...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	topic, adm := p.deps.Names.Identities, kadm.NewClient(client)
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	ends, err := adm.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = errors.Join(starts.Error(), ends.Error())
	}
	if err != nil {
		return 0, err
	}
	share := authorsKept / max(len(ends[topic]), 1)
	for partition, end := range ends[topic] {
		start, _ := starts.Lookup(topic, partition)
		span := kafka.Span{Topic: topic, Partition: partition, First: end.Offset}
		for found := 0; found < share && span.First > start.Offset; {
			span.First, span.End = max(span.First-warmSpan, start.Offset), span.First
			added, err := p.readAuthorsOf(ctx, client, span)
			if err != nil {
				return known, err
			}
			found, known = found+added, known+added
		}
	}
	return known, nil
}

// readAuthorsOf makes the identities of a span known, and returns how many they
// are.
func (p *Publisher) readAuthorsOf(ctx context.Context, client *kgo.Client, span kafka.Span) (int, error) {
	newest := map[string]*schemas.Identity{}
	var fault error
	err := kafka.ReadSpan(ctx, client, span, func(r *kgo.Record) bool {
		var identity schemas.Identity
		var undecodable *schemas.UndecodableError
		switch err := p.deps.Codec.Decode(ctx, r.Value, &identity); {
		case err == nil:
			newest[string(r.Key)] = &identity
		case !errors.As(err, &undecodable): // not the record's fault
			fault = err
		}
		return fault == nil
	})
	if err == nil {
		err = fault
	}
	if err != nil {
		return 0, err
	}
	p.maker.enricher.warm(newest)
	return len(newest), nil
}
