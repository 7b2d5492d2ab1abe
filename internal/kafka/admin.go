package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A Fault is a setting of a topic with which a guarantee does not hold.
type Fault struct {
	Topic   string
	Setting string // a topic setting, or "partitions"
	Value   string // what it is
	Why     string // what breaks, and what to do
}

// Error tells the fault in one line.
func (f Fault) Error() string {
	return fmt.Sprintf("topic %s: %s is %s: %s", f.Topic, f.Setting, f.Value, f.Why)
}

// A Change is what Apply did to one topic.
type Change struct {
	Topic      string
	Created    bool // false = it was there
	Partitions int
}

// Apply creates the topics that are missing and waits until the brokers show
// them. It is safe to repeat and safe when replicas do it at once; it never
// changes a topic that exists.
func Apply(ctx context.Context, adm *kadm.Client, cfg TopicConfig) ([]Change, error) {
	details, err := list(ctx, adm, cfg)
	if err != nil {
		return nil, err
	}
	replication := int16(cfg.Replication)
	if replication == 0 {
		replication = -1 // the broker's default, KIP-464
	}
	var changes []Change
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		if d, ok := details[s.name]; ok && d.Err == nil {
			changes = append(changes, Change{Topic: s.name, Partitions: len(d.Partitions)})
			continue
		}
		settings := map[string]*string{}
		for key, value := range s.settings {
			settings[key] = &value
		}
		partitions := partitionsFor(s, details, cfg)
		_, err := adm.CreateTopic(ctx, int32(partitions), replication, settings, s.name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return changes, fmt.Errorf("kafka: create topic %s: %w", s.name, err)
		}
		changes = append(changes, Change{Topic: s.name, Created: err == nil, Partitions: partitions})
	}
	return changes, untilShown(ctx, adm, cfg)
}

// untilShown waits until every topic has its leaders: a broker answers "created"
// a moment before it, or another one, knows the topic.
func untilShown(ctx context.Context, adm *kadm.Client, cfg TopicConfig) error {
	for {
		details, err := list(ctx, adm, cfg)
		if err != nil {
			return err
		}
		if allLed(details, cfg) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kafka: topics were created, but not shown: %w", context.Cause(ctx))
		case <-time.After(retryPause):
		}
	}
}

func allLed(details kadm.TopicDetails, cfg TopicConfig) bool {
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		d, ok := details[s.name]
		if !ok || d.Err != nil || len(d.Partitions) == 0 {
			return false
		}
		for _, p := range d.Partitions {
			if p.Err != nil || p.Leader < 0 {
				return false
			}
		}
	}
	return true
}

// partitionsFor gives a missing topic the count of those it must agree with, so
// that a changed TOPIC_PARTITIONS cannot split a group.
func partitionsFor(s spec, details kadm.TopicDetails, cfg TopicConfig) int {
	for _, other := range specs(TopicNames(cfg.Prefix)) {
		if s.group == "" || other.group != s.group {
			continue
		}
		if d, ok := details[other.name]; ok && d.Err == nil && len(d.Partitions) > 0 {
			return len(d.Partitions)
		}
	}
	return cfg.Partitions
}

// Missing returns the topics that do not exist.
func Missing(ctx context.Context, adm *kadm.Client, cfg TopicConfig) ([]string, error) {
	details, err := list(ctx, adm, cfg)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		if d, ok := details[s.name]; !ok || d.Err != nil {
			missing = append(missing, s.name)
		}
	}
	return missing, nil
}

// CheckTopics returns every setting with which a guarantee does not hold. Topics
// that do not exist are no faults here; see Missing.
func CheckTopics(ctx context.Context, adm *kadm.Client, cfg TopicConfig) ([]Fault, error) {
	details, err := list(ctx, adm, cfg)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, d := range details {
		if d.Err == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	configs, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("kafka: read topic settings: %w", err)
	}
	faults := partitionFaults(details, cfg)
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		d, ok := details[s.name]
		if !ok || d.Err != nil {
			continue
		}
		values, err := settingsOf(configs, s.name)
		if err != nil {
			return nil, err
		}
		faults = append(faults, faultsOf(s, d, values)...)
	}
	return faults, nil
}

func settingsOf(configs kadm.ResourceConfigs, topic string) (map[string]string, error) {
	rc, err := configs.On(topic, nil)
	if err == nil {
		err = rc.Err
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: read settings of topic %s: %w", topic, err)
	}
	values := map[string]string{}
	for _, c := range rc.Configs {
		values[c.Key] = c.MaybeValue()
	}
	return values, nil
}

func faultsOf(s spec, d kadm.TopicDetail, values map[string]string) []Fault {
	var faults []Fault
	for _, n := range s.needs {
		value, ok := values[n.key]
		if ok && !n.ok(value) {
			faults = append(faults, Fault{Topic: s.name, Setting: n.key, Value: value, Why: n.why})
		}
	}
	replicas := d.Partitions.NumReplicas()
	if isr, err := strconv.Atoi(values["min.insync.replicas"]); err == nil {
		if replicas >= 3 && isr < 2 {
			faults = append(faults, Fault{
				Topic: s.name, Setting: "min.insync.replicas", Value: values["min.insync.replicas"],
				Why: "a record acknowledged by one broker is lost with it; set min.insync.replicas=2",
			})
		}
		if isr > replicas {
			faults = append(faults, Fault{
				Topic: s.name, Setting: "min.insync.replicas", Value: values["min.insync.replicas"],
				Why: fmt.Sprintf("no record can be acknowledged with %d replicas; set it to fewer", replicas),
			})
		}
	}
	return faults
}

// partitionFaults finds the groups whose topics have different partition counts.
func partitionFaults(details kadm.TopicDetails, cfg TopicConfig) []Fault {
	counts := map[string]map[string]int{}
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		if d, ok := details[s.name]; ok && d.Err == nil && s.group != "" {
			if counts[s.group] == nil {
				counts[s.group] = map[string]int{}
			}
			counts[s.group][s.name] = len(d.Partitions)
		}
	}
	var faults []Fault
	for group, topics := range counts {
		want := counts[group][leader(group, cfg)]
		for topic, n := range topics {
			if want != 0 && n != want {
				faults = append(faults, Fault{
					Topic: topic, Setting: "partitions", Value: strconv.Itoa(n),
					Why: fmt.Sprintf("must be %d as of topic %s, so that an owner finds its state where its work is; delete and re-create it, or add partitions", want, leader(group, cfg)),
				})
			}
		}
	}
	sort.Slice(faults, func(i, j int) bool { return faults[i].Topic < faults[j].Topic })
	return faults
}

// leader is the topic that a group's partition count is taken from.
func leader(group string, cfg TopicConfig) string {
	if group == outbound {
		return TopicNames(cfg.Prefix).Replies
	}
	return TopicNames(cfg.Prefix).Inbox
}

func list(ctx context.Context, adm *kadm.Client, cfg TopicConfig) (kadm.TopicDetails, error) {
	var names []string
	for _, s := range specs(TopicNames(cfg.Prefix)) {
		names = append(names, s.name)
	}
	slices.Sort(names)
	details, err := adm.ListTopics(fresh(ctx), names...)
	if err != nil {
		return nil, fmt.Errorf("kafka: list topics: %w", err)
	}
	for name, d := range details {
		if d.Err != nil && !errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			return nil, fmt.Errorf("kafka: list topic %s: %w", name, d.Err)
		}
	}
	return details, nil
}

// fresh makes an admin client ask the broker: without it, topics come from the
// client's cache, and one that was just created is still missing there.
func fresh(ctx context.Context) context.Context { return kadm.WithAuthorizedOps(ctx) }
