package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

func (p *program) topicsCommand() *cobra.Command {
	apply := &cobra.Command{
		Use:   "apply",
		Short: "Create the topics that are missing, and check all",
		Long: `Creates the topics that are missing, with the settings that the guarantees need,
and checks the others. Safe to repeat; a topic that exists is never changed.

Reads KAFKA_…, TOPIC_PREFIX, TOPIC_PARTITIONS and TOPIC_REPLICATION.
Exit status 1 when a setting breaks a guarantee.`,
		Example: `  KAFKA_BROKERS=localhost:9092 ringbridge topics apply
  TOPIC_PARTITIONS=24 TOPIC_REPLICATION=3 ringbridge topics apply`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.withTopics(c.Context(), p.applyTopics) },
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Say which topics are missing or set so that a guarantee breaks",
		Long: `Compares the topics with what the guarantees need, and changes nothing.

Exit status 1 when a topic is missing or a setting breaks a guarantee.`,
		Example: `  KAFKA_BROKERS=localhost:9092 ringbridge topics check`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.withTopics(c.Context(), p.checkTopics) },
	}
	end := &cobra.Command{
		Use:   "end-hanging",
		Short: "End transactions that the broker has forgotten to end",
		Long: `A broker that was killed can forget to end a transaction in a partition. Nobody reads on there then: doctor, the log
and the metric ringbridge_kafka_hanging_transactions tell. This ends each as its coordinator had decided, so that what was
committed stays. (Kafka's own kafka-transactions.sh aborts it, and what was committed is lost.)

One of which the decision is not known is left, with what can be done. The user of KAFKA_SASL_USERNAME, or of the
client's certificate, needs CLUSTER_ACTION on the cluster.

Exit status 1 when one is left.`,
		Example: `  KAFKA_BROKERS=localhost:9092 ringbridge topics end-hanging`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.withTopics(c.Context(), p.endHanging) },
	}
	return group("topics", "Create or verify the topics",
		"The topics of the bridge: names, partitions and the settings that its guarantees need.", apply, check, end)
}

func (p *program) endHanging(ctx context.Context, adm *kadm.Client, cfg kafka.TopicConfig) error {
	hanging, err := kafka.Hanging(ctx, adm, kafka.TopicNames(cfg.Prefix), time.Now())
	if err != nil {
		return err
	}
	ended, err := kafka.EndHanging(ctx, adm, hanging)
	for _, t := range ended.Committed {
		p.printf("committed  %s/%d from offset %d\n", t.Topic, t.Partition, t.Start)
	}
	for _, t := range ended.Aborted {
		p.printf("aborted    %s/%d from offset %d\n", t.Topic, t.Partition, t.Start)
	}
	if err != nil {
		return err
	}
	for _, t := range ended.Left {
		p.printf("left       %s/%d from offset %d: no coordinator remembers a decision; its producer may be at work. If it is gone: %s\n", t.Topic, t.Partition, t.Start, t.Abort())
	}
	if n := len(ended.Left); n > 0 {
		return fmt.Errorf("topics: %d transactions are left as they were", n)
	}
	p.printf("ok         %d transactions were ended\n", len(hanging))
	return nil
}

func (p *program) withTopics(ctx context.Context, do func(context.Context, *kadm.Client, kafka.TopicConfig) error) error {
	var cfg brokerConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	if _, err := cfg.useRunning(); err != nil {
		return err
	}
	adm, err := dialAdmin(ctx, cfg, newLogger(p.err, cfg.Log))
	if err != nil {
		return err
	}
	defer adm.Close()
	return do(ctx, adm, cfg.Topics)
}

func (p *program) applyTopics(ctx context.Context, adm *kadm.Client, cfg kafka.TopicConfig) error {
	changes, err := kafka.Apply(ctx, adm, cfg)
	for _, change := range changes {
		did := "exists"
		if change.Created {
			did = "created"
		}
		p.printf("%-8s %s (%d partitions)\n", did, change.Topic, change.Partitions)
	}
	if err != nil {
		return err
	}
	return p.checkTopics(ctx, adm, cfg)
}

func (p *program) checkTopics(ctx context.Context, adm *kadm.Client, cfg kafka.TopicConfig) error {
	missing, err := kafka.Missing(ctx, adm, cfg)
	if err != nil {
		return err
	}
	for _, topic := range missing {
		p.printf("missing  %s: create it with `ringbridge topics apply`\n", topic)
	}
	faults, err := kafka.CheckTopics(ctx, adm, cfg)
	if err != nil {
		return err
	}
	for _, fault := range faults {
		p.printf("fault    %s\n", fault.Error())
	}
	if n := len(missing) + len(faults); n > 0 {
		return fmt.Errorf("topics: %d missing, %d faults", len(missing), len(faults))
	}
	p.printf("ok       all topics under %q keep the guarantees\n", cfg.Prefix)
	return nil
}
