package main

import (
	"context"

	"github.com/ringbridge/ringbridge/schemas"
)

// reading is a command's connection for reading topics.
type reading struct {
	reach
	codec *schemas.Codec
	cfg   connectionConfig
}

// openReading connects to Kafka and the registry, which is only read. The
// caller closes the admin client.
func (p *program) openReading(ctx context.Context) (*reading, error) {
	cfg, codec, err := p.openRegistry(ctx, false)
	if err != nil {
		return nil, err
	}
	logger := newLogger(p.err, cfg.Broker.Log)
	opts, err := clientOptions(cfg.Broker, logger)
	if err != nil {
		return nil, err
	}
	adm, err := dialAdmin(ctx, cfg.Broker, logger)
	if err != nil {
		return nil, err
	}
	return &reading{reach: reach{opts: opts, adm: adm}, codec: codec, cfg: cfg}, nil
}

// openRegistry loads the configuration and prepares the codec. A command that
// writes registers what is missing where SCHEMA_REGISTRY_REGISTER allows it.
func (p *program) openRegistry(ctx context.Context, writes bool) (connectionConfig, *schemas.Codec, error) {
	var cfg connectionConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return cfg, nil, err
	}
	if err := cfg.useRunning(); err != nil {
		return cfg, nil, err
	}
	registry, err := schemas.NewRegistry(cfg.Registry)
	if err != nil {
		return cfg, nil, err
	}
	codec, err := registry.Prepare(ctx, cfg.Broker.Topics.Prefix, writes && cfg.Registry.Register)
	return cfg, codec, err
}
