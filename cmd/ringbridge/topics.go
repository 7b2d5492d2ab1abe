package main

import (
	"context"
	"fmt"

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
	return group("topics", "Create or verify the topics",
		"The topics of the bridge: names, partitions and the settings that its guarantees need.", apply, check)
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
