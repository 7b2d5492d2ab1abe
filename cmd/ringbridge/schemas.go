package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/schemas"
)

func (p *program) schemasCommand() *cobra.Command {
	register := &cobra.Command{
		Use:   "register",
		Short: "Register this program's schemas",
		Long: `Checks this program's schemas against every version that the registry holds, and
registers those that are new, each under <topic>-value with its compatibility rule.
Safe to repeat. Nothing is registered that breaks the rule.

Needed before the first start where SCHEMA_REGISTRY_REGISTER is false; else the
bridge does the same by itself.`,
		Example: `  SCHEMA_REGISTRY_URL=http://localhost:8081 ringbridge schemas register`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.withRegistry(c.Context(), p.registerSchemas) },
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Compare this program's schemas with what the registry holds",
		Long: `Says for each subject whether the registry holds this program's schema, and
whether the schema is compatible with every version there. Changes nothing.

Exit status 1 when a schema breaks its rule; a schema that is only not registered
yet is no fault.`,
		Example: `  SCHEMA_REGISTRY_URL=http://localhost:8081 ringbridge schemas check`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.withRegistry(c.Context(), p.checkSchemas) },
	}
	return group("schemas", "Register or check the schemas",
		"The Avro schemas of the topics' values, and their subjects in the registry.", register, check)
}

type registryFunc func(ctx context.Context, registry *schemas.Registry, prefix string) error

// registryConfig is what a command needs that talks to the registry alone.
type registryConfig struct {
	Registry schemas.Config
	Broker   brokerConfig
}

func (p *program) withRegistry(ctx context.Context, do registryFunc) error {
	var cfg registryConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	if cfg.Registry.URL == "" {
		url, err := cfg.Broker.useRunning()
		if err != nil || url == "" {
			return fmt.Errorf("SCHEMA_REGISTRY_URL: is empty, and no embedded registry runs on DATA_DIR (%s)", cfg.Broker.Embedded.DataDir)
		}
		cfg.Registry.URL = url
	}
	registry, err := schemas.NewRegistry(cfg.Registry)
	if err != nil {
		return err
	}
	return do(ctx, registry, cfg.Broker.Topics.Prefix)
}

func (p *program) registerSchemas(ctx context.Context, registry *schemas.Registry, prefix string) error {
	before := map[string]bool{}
	for _, subject := range schemas.Subjects() {
		state, err := registry.Check(ctx, subject, prefix)
		if err != nil {
			return err
		}
		before[state.Name] = state.ID != 0
	}
	if _, err := registry.Prepare(ctx, prefix, true); err != nil {
		return err
	}
	for _, subject := range schemas.Subjects() {
		state, err := registry.Check(ctx, subject, prefix)
		if err != nil {
			return err
		}
		did := "registered"
		if before[state.Name] {
			did = "exists"
		}
		p.printf("%-10s %s: %s, id %d, %s\n", did, state.Name, subject.Record, state.ID, subject.Compatibility)
	}
	return nil
}

func (p *program) checkSchemas(ctx context.Context, registry *schemas.Registry, prefix string) error {
	broken := 0
	for _, subject := range schemas.Subjects() {
		state, err := registry.Check(ctx, subject, prefix)
		if err != nil {
			return err
		}
		switch {
		case len(state.Conflicts) > 0:
			broken++
			p.printf("broken  %s: not %s: %s\n", state.Name, subject.Compatibility, oneLine(strings.Join(state.Conflicts, "; ")))
		case state.ID == 0:
			p.printf("new     %s: compatible with its %d versions; not registered\n", state.Name, state.Versions)
		case state.Level != subject.Compatibility:
			p.printf("ok      %s: id %d; the rule there is not %s: `ringbridge schemas register` sets it\n", state.Name, state.ID, subject.Compatibility)
		default:
			p.printf("ok      %s: id %d\n", state.Name, state.ID)
		}
	}
	if broken > 0 {
		return fmt.Errorf("schemas: %d of %d break their rule", broken, len(schemas.Subjects()))
	}
	return nil
}
