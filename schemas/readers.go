package schemas

import (
	"context"
	"strconv"
	"sync"

	"github.com/hamba/avro/v2"
	"golang.org/x/sync/singleflight"
)

// A reader is what it takes to read a value: the schema that it was written by,
// and that schema joined with the binary's own.
type reader struct{ writer, joined avro.Schema }

// readerCache remembers the reader of each writer's schema and record.
// A schema id never changes its meaning, so entries stay; their number is that
// of the schema versions in use. Failures are not remembered.
type readerCache struct {
	flight singleflight.Group
	known  sync.Map // readerKey → reader
}

type readerKey struct {
	id     int
	record string
}

type resolveFunc func(ctx context.Context, id int, record string) (reader, error)

func (c *readerCache) get(ctx context.Context, id int, record string, resolve resolveFunc) (reader, error) {
	key := readerKey{id, record}
	if known, ok := c.known.Load(key); ok {
		return known.(reader), nil
	}
	known, err, _ := c.flight.Do(strconv.Itoa(id)+record, func() (any, error) {
		known, err := resolve(ctx, id, record)
		if err == nil {
			c.known.Store(key, known)
		}
		return known, err
	})
	if err != nil {
		return reader{}, err
	}
	return known.(reader), nil
}
