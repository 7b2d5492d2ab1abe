package letters

import (
	"context"
	"maps"
	"slices"
	"time"
)

// KeepInterval is how often the memory is to be kept. Brokers forget the offsets
// of a group without members a while after they were committed
// (offsets.retention.minutes), 7 days by default and a day where somebody is
// thrifty; the letters themselves stay for months.
const KeepInterval = 6 * time.Hour

// saveTimeout bounds what is still written once ctx has ended.
const saveTimeout = 10 * time.Second

// Keep writes the memory of all letters as it is, so that brokers go on keeping
// it. Without it letters that were sent back or discarded would be waiting again.
func (o *Office) Keep(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.keep(ctx)
}

func (o *Office) keep(ctx context.Context) error {
	for _, source := range []Source{Replies, Inbox} {
		for _, group := range []string{redriveGroup, discardGroup} {
			m, err := loadMemory(ctx, o.deps.Admin, o.deps.Topics.Group(group), o.topic(source))
			if err != nil {
				return err
			}
			if err := m.save(ctx, slices.Collect(maps.Keys(m.partitions))...); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastWord is ctx for what must be noted although ctx has ended.
func lastWord(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
}
