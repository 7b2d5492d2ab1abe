package spool_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/spool"
	"github.com/ringbridge/ringbridge/schemas"
)

var (
	errBroker = errors.New("no broker")
	errDisk   = errors.New("no space left on device")
	errPower  = errors.New("the power is cut")
)

// fakeInbox keeps what it is given. While down it holds the caller until its ctx
// ends, as a broker does that is not there.
type fakeInbox struct {
	mu      sync.Mutex
	down    bool
	fail    func(item ingest.Item) error
	bodies  []string
	items   []ingest.Item
	letters []ingest.Refusal
	calls   int
}

func (f *fakeInbox) Accept(ctx context.Context, items ...ingest.Item) error {
	if err := f.reach(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, item := range items {
		if f.fail != nil {
			if err := f.fail(item); err != nil {
				return err
			}
		}
	}
	for _, item := range items {
		item.Arrival.Body = slices.Clone(item.Arrival.Body)
		f.bodies = append(f.bodies, string(item.Arrival.Body))
		f.items = append(f.items, item)
	}
	return nil
}

func (f *fakeInbox) Refuse(ctx context.Context, refusals ...ingest.Refusal) error {
	if err := f.reach(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range refusals {
		r.Body = slices.Clone(r.Body)
		f.letters = append(f.letters, r)
	}
	return nil
}

func (f *fakeInbox) reach(ctx context.Context) error {
	f.mu.Lock()
	down := f.down
	f.calls++
	f.mu.Unlock()
	if !down {
		return nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, ingest.DeliveryTimeout, errBroker)
	defer cancel()
	<-limited.Done()
	return context.Cause(limited)
}

func (f *fakeInbox) set(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fakeInbox) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.bodies)
}

func item(key, body string) ingest.Item {
	return ingest.Item{Key: key, Arrival: schemas.Arrival{
		Origin: schemas.OriginWebhook, API: schemas.ApiEngage, Kind: "content.imported", ContentType: "application/json", Body: []byte(body),
	}}
}

// open opens a spool and closes it with the test.
func open(t *testing.T, d spool.Disk, inbox spool.Inbox, change ...func(*spool.Deps)) *spool.Spool {
	t.Helper()
	deps := spool.Deps{Inbox: inbox}
	for _, c := range change {
		c(&deps)
	}
	s, err := spool.OpenOn(d, spool.MaxBytes, deps)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// run drains until the function that it returns is called, or the test ends.
func run(t *testing.T, s *spool.Spool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// fakeDisk knows what a power cut leaves: of each file what was fsynced, and of
// the names those that the directory's fsync covered. It can fail at any call.
type fakeDisk struct {
	mu      sync.Mutex
	files   map[string]*fakeContent // as the process sees it
	durable map[string]*fakeContent // names that survive
	steps   int
	cutAt   int   // the step at which the power is cut; 0 = never
	full    error // of every write
	noSync  bool  // fsync of files does nothing: a mutant
	syncs   int
	waits   chan struct{} // an fsync takes one from here; nil = it does not wait
}

type fakeContent struct {
	data   []byte
	synced []byte
}

func newFakeDisk() *fakeDisk {
	return &fakeDisk{files: map[string]*fakeContent{}, durable: map[string]*fakeContent{}}
}

// step counts a call, and fails from the power cut on. The caller holds the lock.
func (d *fakeDisk) step() error {
	d.steps++
	if d.cutAt > 0 && d.steps >= d.cutAt {
		return errPower
	}
	return nil
}

// afterCut returns the disk as the next process finds it. Of what was not
// fsynced, any part may be there.
func (d *fakeDisk) afterCut(r *rand.Rand) *fakeDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := newFakeDisk()
	for name, content := range d.durable {
		data := slices.Clone(content.synced)
		if more := len(content.data) - len(data); more > 0 {
			data = append(data, content.data[len(data):len(data)+r.IntN(more+1)]...)
		}
		c := &fakeContent{data: data, synced: slices.Clone(data)}
		next.files[name], next.durable[name] = c, c
	}
	return next
}

func (d *fakeDisk) do(work func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	return work()
}

func (d *fakeDisk) find(name string, work func(*fakeContent) error) error {
	return d.do(func() error {
		c := d.files[name]
		if c == nil {
			return fs.ErrNotExist
		}
		return work(c)
	})
}

func (d *fakeDisk) Names() (names []string, err error) {
	err = d.do(func() error { names = slices.Collect(maps.Keys(d.files)); return nil })
	return names, err
}

func (d *fakeDisk) Create(name string) (f spool.File, err error) {
	err = d.do(func() error {
		c := &fakeContent{}
		d.files[name], f = c, &fakeFile{disk: d, content: c}
		return nil
	})
	return f, err
}

func (d *fakeDisk) Read(name string, from, to int64) (data []byte, err error) {
	err = d.find(name, func(c *fakeContent) error { data = slices.Clone(c.data[from:to]); return nil })
	return data, err
}

func (d *fakeDisk) Size(name string) (size int64, err error) {
	err = d.find(name, func(c *fakeContent) error { size = int64(len(c.data)); return nil })
	return size, err
}

func (d *fakeDisk) Cut(name string, size int64) error {
	return d.find(name, func(c *fakeContent) error {
		c.data = c.data[:size]
		c.synced = slices.Clone(c.data)
		return nil
	})
}

func (d *fakeDisk) Rename(from, to string) error {
	return d.find(from, func(c *fakeContent) error {
		d.files[to] = c
		delete(d.files, from)
		return nil
	})
}

func (d *fakeDisk) Remove(name string) error {
	return d.find(name, func(*fakeContent) error { delete(d.files, name); return nil })
}

func (d *fakeDisk) SyncNames() error {
	return d.do(func() error { d.durable = maps.Clone(d.files); return nil })
}

type fakeFile struct {
	disk    *fakeDisk
	content *fakeContent
}

// Write writes half of it when the disk is full or the power is cut.
func (f *fakeFile) Write(p []byte) (n int, err error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err = f.disk.step(); err == nil {
		err = f.disk.full
	}
	if n = len(p); err != nil {
		n /= 2
	}
	f.content.data = append(f.content.data, p[:n]...)
	return n, err
}

func (f *fakeFile) Sync() error {
	if f.disk.waits != nil {
		<-f.disk.waits
	}
	return f.disk.do(func() error {
		f.disk.syncs++
		if !f.disk.noSync {
			f.content.synced = slices.Clone(f.content.data)
		}
		return nil
	})
}

func (f *fakeFile) Truncate(size int64) error {
	return f.disk.do(func() error { f.content.data = f.content.data[:size]; return nil })
}

func (f *fakeFile) Close() error { return nil }

// left returns the names of the files.
func (d *fakeDisk) left() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.files))
}
