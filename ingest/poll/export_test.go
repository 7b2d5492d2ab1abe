package poll

import (
	"context"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// What is pure is tested by itself.
var (
	Backoff    = backoff
	Wait       = wait
	Judge      = judge
	ImportTime = importTime
	ReadTime   = readTime
)

type Result = result

// Walk reads a list to its end and returns the ids in the order they were read.
func Walk(ctx context.Context, fetch func(offset, limit int) ringcentral.Page) ([]string, error) {
	seed := maphash.MakeSeed()
	w := walk{list: &list{reader: &pageReader{fetch: func(_ context.Context, offset, limit int) ([]row, int, error) {
		p := fetch(offset, limit)
		var rows []row
		for _, raw := range p.Records {
			rows = append(rows, readRow(raw, time.Now(), seed, func(f fields) lenient.Text { return f.CreatedAt }))
		}
		return rows, p.Count, nil
	}}}}
	var ids []string
	for !w.done {
		p, err := w.next(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range p.rows {
			ids = append(ids, r.id)
		}
	}
	return ids, nil
}

// SetMaxHarvest makes a pass take fewer bytes.
func (p *Poller) SetMaxHarvest(bytes int) { p.maxHarvest = bytes }

// Remember keeps n rows of as many seconds and returns how many are left after the
// memory has forgotten what it may.
func Remember(n, limit int) int {
	m := newMemory(limit)
	for i := range n {
		m.keep(row{ident: strconv.Itoa(i), at: time.Unix(int64(i), 0)}, time.Now())
	}
	m.forget(time.Unix(0, 0), 0)
	return len(m.rows)
}

// Play reads a list from a time on and returns the ids in the order they were read.
func Play(ctx context.Context, from time.Time, fetch func(offset, limit int) ringcentral.Page) (ids []string, err error) {
	t := newTape(kinds()[0])
	t.reader.fetch = func(_ context.Context, offset, limit int) ([]row, int, error) {
		p := fetch(offset, limit)
		var rows []row
		for _, raw := range p.Records {
			rows = append(rows, readRow(raw, time.Now(), t.seed, t.kind.at))
		}
		return rows, p.Count, nil
	}
	_, err = t.Seek(ctx, from)
	for end := false; err == nil && !end; {
		var s Stretch
		s, err = t.Next(ctx)
		for _, r := range s.Rows {
			ids = append(ids, *r.Item.Arrival.ResourceID)
		}
		end = s.End
	}
	return ids, err
}
