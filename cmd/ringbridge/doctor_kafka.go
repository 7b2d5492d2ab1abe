package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

// errUnset says that there is no broker to look for.
var errUnset = errors.New("no broker is configured, and no embedded one runs")

// dial connects to Kafka. A client's own complaints are left out: the check tells.
func (d *doctor) dial(ctx context.Context) (*kadm.Client, brokerConfig, error) {
	var cfg brokerConfig
	if err := load(ctx, &cfg, d.p.env); err != nil {
		return nil, cfg, errors.New("its settings are wrong: see configuration")
	}
	if _, err := cfg.useRunning(); err != nil {
		return nil, cfg, fmt.Errorf("%w: %w", errUnset, err)
	}
	adm, err := dialAdmin(ctx, cfg, slog.New(slog.DiscardHandler))
	return adm, cfg, err
}

func (d *doctor) kafka(ctx context.Context) finding {
	if _, skip, usable := part[brokerConfig](ctx, d); !usable {
		return skip
	}
	adm, cfg, err := d.dial(ctx)
	switch {
	case errors.Is(err, errUnset):
		return failed(err.Error(), "set KAFKA_BROKERS, or start `ringbridge run` for the embedded broker")
	case err != nil:
		return failed(err.Error(), "check KAFKA_BROKERS, KAFKA_TLS_… and KAFKA_SASL_…, and whether the broker is up and its advertised addresses can be reached from here")
	}
	defer adm.Close()
	brokers, err := adm.ApiVersions(ctx)
	if err != nil {
		return failed("the brokers' versions cannot be read: "+plainly(err), "check that all brokers can be reached, not only the first")
	}
	var versions []string
	for _, b := range brokers.Sorted() {
		if b.Err != nil {
			return failed(fmt.Sprintf("broker %d does not answer: %s", b.NodeID, plainly(b.Err)), "check its advertised address, and whether it can be reached from here")
		}
		// Offsets of a transaction that carry the group's generation, KIP-447.
		if highest, known := b.KeyMaxVersion(int16(kmsg.TxnOffsetCommit)); !known || highest < 3 {
			return failed(fmt.Sprintf("broker %d is Kafka %s", b.NodeID, b.VersionGuess()), "use Kafka 2.5 or later: exactly once rests on it")
		}
		if guess := b.VersionGuess(); !slices.Contains(versions, guess) {
			versions = append(versions, guess)
		}
	}
	return ok("%d brokers answer at %s, Kafka %s", len(brokers), strings.Join(cfg.Kafka.Brokers, ","), strings.Join(versions, ", "))
}

// permissions looks at what the broker says of this user. It says nothing of
// transactional ids and of topics that do not exist.
func (d *doctor) permissions(ctx context.Context) finding {
	adm, cfg, err := d.dial(ctx)
	if err != nil {
		return skipped("Kafka cannot be asked")
	}
	defer adm.Close()
	names := kafka.TopicNames(cfg.Topics.Prefix)
	var topics []string
	for _, short := range shortTopics() {
		topics = append(topics, cfg.Topics.Prefix+short)
	}
	details, err := adm.ListTopics(kadm.WithAuthorizedOps(ctx), topics...)
	if err != nil {
		return failed("the topics cannot be listed: "+plainly(err), "grant DESCRIBE on the topics under "+cfg.Topics.Prefix)
	}
	groups, err := adm.DescribeGroups(ctx, names.Group(stagePublish), names.Group(topicReplies), names.Group(stagePoll))
	if err != nil {
		return failed("the groups cannot be described: "+plainly(err), "grant DESCRIBE on the groups under "+cfg.Topics.Prefix)
	}
	told := 0
	var lacking []string
	for _, t := range details.Sorted() {
		told += len(t.AuthorizedOperations)
		lacking = append(lacking, lackingOf("topic "+t.Topic, t.AuthorizedOperations, kadm.OpRead, kadm.OpWrite)...)
	}
	for _, g := range groups.Sorted() {
		told += len(g.AuthorizedOperations)
		lacking = append(lacking, lackingOf("group "+g.Group, g.AuthorizedOperations, kadm.OpRead)...)
	}
	switch {
	case len(lacking) > 0:
		return failed("not allowed: "+strings.Join(lacking, ", "), "grant these to the user of KAFKA_SASL_USERNAME, or of the client's certificate, and WRITE and DESCRIBE on transactional ids under "+cfg.Topics.Prefix)
	case told == 0:
		return skipped("the broker does not tell")
	}
	return ok("READ and WRITE on the topics that exist, READ on the groups; of transactional ids the broker does not tell")
}

// lackingOf returns the operations that are needed and not among those told; none
// where nothing is told.
func lackingOf(what string, told []kadm.ACLOperation, needed ...kadm.ACLOperation) (lacking []string) {
	if len(told) == 0 || slices.Contains(told, kadm.OpAll) {
		return nil
	}
	for _, op := range needed {
		if !slices.Contains(told, op) {
			lacking = append(lacking, op.String()+" on "+what)
		}
	}
	return lacking
}

func (d *doctor) topics(ctx context.Context) finding {
	adm, cfg, err := d.dial(ctx)
	if err != nil {
		return skipped("Kafka cannot be asked")
	}
	defer adm.Close()
	missing, err := kafka.Missing(ctx, adm, cfg.Topics)
	if err != nil {
		return failed(plainly(err), "grant DESCRIBE on the topics under "+cfg.Topics.Prefix)
	}
	faults, err := kafka.CheckTopics(ctx, adm, cfg.Topics)
	if err != nil {
		return failed(plainly(err), "grant DESCRIBE_CONFIGS on the topics under "+cfg.Topics.Prefix)
	}
	var texts []string
	for _, fault := range faults {
		texts = append(texts, fault.Error())
	}
	switch {
	case len(faults) > 0:
		return failed(strings.Join(texts, "; "), "alter the topics as it says; `ringbridge topics check` looks again")
	case len(missing) > 0:
		return failed("missing: "+strings.Join(missing, ", "), "`ringbridge topics apply`, or start `ringbridge run` with a user that may create topics")
	}
	return ok("all topics under %q keep the guarantees", cfg.Topics.Prefix)
}

// heldPatience is how long the doctor watches an offset that is held back: longer than the broker lets a transaction of
// ours stay open. Only a bridge in trouble, or a very busy one, costs it that time.
const heldPatience = 11 * time.Second

// heldBack returns a group whose members wait for offsets that the broker holds back for good, and of how many
// partitions; "" for none.
func heldBack(ctx context.Context, adm *kadm.Client, names kafka.Names) (group string, partitions int, err error) {
	offsets := kafka.HeldOffsets{}
	for began := time.Now(); ; {
		for group, topic := range transactional(names) {
			stuck, err := offsets.Look(ctx, adm, group, topic, heldPatience)
			if err != nil || stuck > 0 {
				return group, stuck, err
			}
		}
		if len(offsets) == 0 || time.Since(began) > heldPatience {
			return "", 0, nil
		}
		if err := sleep.For(ctx, time.Second); err != nil {
			return "", 0, err
		}
	}
}

// transactions looks for those that keep partitions from being read, and nobody will end, also where only the coordinator
// of a group believes so.
func (d *doctor) transactions(ctx context.Context) finding {
	adm, cfg, err := d.dial(ctx)
	if err != nil {
		return skipped("Kafka cannot be asked")
	}
	defer adm.Close()
	hanging, err := kafka.Hanging(ctx, adm, kafka.TopicNames(cfg.Topics.Prefix), time.Now())
	if err != nil {
		return skipped("the broker does not tell: %s", plainly(err))
	}
	if len(hanging) == 0 {
		group, partitions, err := heldBack(ctx, adm, kafka.TopicNames(cfg.Topics.Prefix))
		switch {
		case err != nil:
			return skipped("the broker does not tell of committed offsets: %s", plainly(err))
		case partitions > 0:
			return failed(fmt.Sprintf("the broker holds the committed offsets of %d partitions of group %s back, for a transaction that it has lost track of", partitions, group),
				kafka.RemedyHeldBack(group))
		}
		return ok("none hangs")
	}
	t := hanging[0]
	return failed(fmt.Sprintf("%d partitions are read no further, as transactions there hang: %s/%d from offset %d since %s", len(hanging), t.Topic, t.Partition, t.Start, t.Since.UTC().Format(time.RFC3339)),
		"end each: "+t.Remedy())
}

func (d *doctor) registry(ctx context.Context) finding {
	cfg, skip, usable := part[registryConfig](ctx, d)
	if !usable {
		return skip
	}
	if cfg.Registry.URL == "" {
		url, err := cfg.Broker.useRunning()
		if err != nil || url == "" {
			return failed("SCHEMA_REGISTRY_URL is empty, and no embedded registry runs", "set SCHEMA_REGISTRY_URL")
		}
		cfg.Registry.URL = url
	}
	registry, err := schemas.NewRegistry(cfg.Registry)
	if err != nil {
		return failed(err.Error(), "check SCHEMA_REGISTRY_URL")
	}
	fresh := 0
	var broken []string
	for _, subject := range schemas.Subjects() {
		state, err := registry.Check(ctx, subject, cfg.Broker.Topics.Prefix)
		if err != nil {
			return failed(err.Error(), "check SCHEMA_REGISTRY_URL, SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and whether the registry is up")
		}
		switch {
		case len(state.Conflicts) > 0:
			broken = append(broken, state.Name+": "+strings.Join(state.Conflicts, ", "))
		case state.ID == 0:
			fresh++
		}
	}
	switch {
	case len(broken) > 0:
		return failed("not compatible: "+strings.Join(broken, "; "), "use the program that registered them, or another TOPIC_PREFIX; `ringbridge schemas check` shows all")
	case fresh > 0 && !cfg.Registry.Register:
		return failed(fmt.Sprintf("%d schemas are not registered, and SCHEMA_REGISTRY_REGISTER is false", fresh), "`ringbridge schemas register`")
	case fresh > 0:
		return ok("%s answers; %d of %d schemas are new and will be registered", cfg.Registry.URL, fresh, len(schemas.Subjects()))
	}
	return ok("%s answers; all schemas are registered", cfg.Registry.URL)
}
