package kafka

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A TopicWatch compares the topics with what they were when it began. A client never moves from a
// topic to another one of the same name: it waits for the first, without an error, for as long as
// it lives. So the process needs new clients once a topic was created again. It is not safe for
// concurrent use.
type TopicWatch struct {
	adm   *kadm.Client
	cfg   TopicConfig
	known map[string]topicShape
}

// A topicShape is what a client knows a topic by.
type topicShape struct {
	id         kadm.TopicID // all zero where the brokers are too old to have ids
	partitions int
}

// A TopicReport is how the topics have changed since the watch began. The zero value means that
// they have not.
type TopicReport struct {
	Deleted  []string // that do not exist now
	Replaced []string // that are others now: they were deleted and created again
	Resized  []string // that have another number of partitions
	Faults   []Fault  // settings with which a guarantee does not hold

	lost map[string]string // by topic: what is gone with it
}

// WatchTopics begins a watch. All topics must exist.
func WatchTopics(ctx context.Context, adm *kadm.Client, cfg TopicConfig) (*TopicWatch, error) {
	w := &TopicWatch{adm: adm, cfg: cfg, known: map[string]topicShape{}}
	details, err := list(ctx, adm, cfg)
	if err != nil {
		return nil, err
	}
	for name, d := range details {
		if d.Err != nil {
			return nil, fmt.Errorf("kafka: watch topic %s: %w", name, d.Err)
		}
		w.known[name] = shapeOf(d)
	}
	return w, nil
}

func shapeOf(d kadm.TopicDetail) topicShape { return topicShape{d.ID, len(d.Partitions)} }

// Look asks the brokers, and returns what differs. An error means that they could not be asked.
func (w *TopicWatch) Look(ctx context.Context) (report TopicReport, err error) {
	details, err := list(ctx, w.adm, w.cfg)
	if err != nil {
		return report, err
	}
	report.lost = map[string]string{}
	for _, s := range specs(TopicNames(w.cfg.Prefix)) {
		report.lost[s.name] = s.lost
		d, ok := details[s.name]
		now, known := shapeOf(d), w.known[s.name]
		switch {
		case !ok || d.Err != nil:
			report.Deleted = append(report.Deleted, s.name)
		case now.id != known.id:
			report.Replaced = append(report.Replaced, s.name)
		case now.partitions != known.partitions:
			report.Resized = append(report.Resized, s.name)
		}
	}
	if len(report.Deleted) == 0 {
		report.Faults, err = CheckTopics(ctx, w.adm, w.cfg)
	}
	return report, err
}

// Changed reports whether the topics are not those any more that the process's clients know: they
// cannot work on, and new ones can.
func (r TopicReport) Changed() bool { return len(r.Deleted)+len(r.Replaced)+len(r.Resized) > 0 }

// Settled reports whether new clients could work: every topic exists, and their settings agree.
// While somebody changes one topic after the other, they do not.
func (r TopicReport) Settled() bool { return len(r.Deleted)+len(r.Faults) == 0 }

// String says in one line what has changed, each topic by its name; "" = nothing.
func (r TopicReport) String() string {
	var lines []string
	for _, topic := range r.Deleted {
		lines = append(lines, "topic "+topic+" was deleted: "+r.lost[topic])
	}
	for _, topic := range r.Replaced {
		lines = append(lines, "topic "+topic+" was deleted and created again: "+r.lost[topic])
	}
	for _, topic := range r.Resized {
		lines = append(lines, "topic "+topic+" has another number of partitions")
	}
	for _, fault := range r.Faults {
		lines = append(lines, fault.Error())
	}
	return strings.Join(lines, "; ")
}

// TopicIDs returns the ids of topics. It is an error if one does not exist.
func TopicIDs(ctx context.Context, adm *kadm.Client, topics ...string) (map[string]kadm.TopicID, error) {
	details, err := adm.ListTopics(fresh(ctx), topics...)
	if err != nil {
		return nil, fmt.Errorf("kafka: list topics: %w", err)
	}
	ids := map[string]kadm.TopicID{}
	for _, topic := range topics {
		if err := details[topic].Err; err != nil {
			return nil, fmt.Errorf("kafka: list topic %s: %w", topic, err)
		}
		ids[topic] = details[topic].ID
	}
	return ids, nil
}
