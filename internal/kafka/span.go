package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A Span is the offsets of a partition from First up to but not including End.
type Span struct {
	Topic      string
	Partition  int32
	First, End int64
}

// littleFetch is what one fetch may bring for each record of a short span: more
// would be fetched and decompressed for nothing.
const littleFetch = 64 << 10

// ReadSpan hands the committed records of a span to each, in order, on the
// caller's goroutine, until each returns false. The caller closes the client.
//
// Where a transaction is open below End, ReadSpan waits for its end: End should
// be no more than the last stable offset. An outage is an error.
func ReadSpan(ctx context.Context, client *kgo.Client, span Span, each func(*kgo.Record) (more bool)) error {
	r := reader{client: client, adm: kadm.NewClient(client), topic: span.Topic, partition: span.Partition, bytes: fetchBytes}
	if n := span.End - span.First; n < fetchBytes/littleFetch {
		r.bytes = int32(n * littleFetch) // a broker sends one batch at the least
	}
	next := span.First
	err := r.locate(ctx)
	for err == nil && next < span.End {
		next, err = r.fetch(ctx, next, span.End, each)
	}
	if err != nil {
		return fmt.Errorf("kafka: read %s/%d: %w", span.Topic, span.Partition, err)
	}
	return nil
}
