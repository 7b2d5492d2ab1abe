package schemas

import (
	"context"
	"strconv"
	"sync"

	"github.com/hamba/avro/v2"
	"golang.org/x/sync/singleflight"
)

// readerCache remembers the resolved schema of each writer's schema and record.
// A schema id never changes its meaning, so entries stay; their number is that
// of the schema versions in use. Failures are not remembered.
type readerCache struct {
	flight singleflight.Group
	known  sync.Map // readerKey → avro.Schema
}

type readerKey struct {
	id     int
	record string
}

type resolveFunc func(ctx context.Context, id int, record string) (avro.Schema, error)

func (c *readerCache) get(ctx context.Context, id int, record string, resolve resolveFunc) (avro.Schema, error) {
	key := readerKey{id, record}
	if schema, ok := c.known.Load(key); ok {
		return schema.(avro.Schema), nil
	}
	schema, err, _ := c.flight.Do(strconv.Itoa(id)+record, func() (any, error) {
		schema, err := resolve(ctx, id, record)
		if err == nil {
			c.known.Store(key, schema)
		}
		return schema, err
	})
	if err != nil {
		return nil, err
	}
	return schema.(avro.Schema), nil
}
