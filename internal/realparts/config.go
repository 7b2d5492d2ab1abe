package realparts

import "context"

// Config says how to start a part.
type Config struct {
	// Dir holds the part's settings, data and log. It must exist, and outlive the part.
	Dir string
	// Port to listen on, on loopback; 0 takes a free one.
	Port int
	// Settings are added to the part's own as "name=value" and win over them: server.properties for Kafka, Java
	// system properties for the registry.
	Settings []string
}

// port is the one asked for, or a free one.
func (c Config) port(ctx context.Context) (int, error) {
	if c.Port != 0 {
		return c.Port, nil
	}
	return freePort(ctx)
}
