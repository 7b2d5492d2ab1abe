package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/secret"
	"github.com/ringbridge/ringbridge/schemas"
)

// brokerConfig is what a command needs that talks to Kafka alone.
type brokerConfig struct {
	Kafka    kafka.Config
	Topics   kafka.TopicConfig
	Embedded embeddedConfig
	Log      logConfig
}

// Validate returns the faults between the parts.
func (c brokerConfig) Validate() error {
	if len(c.Kafka.Brokers) == 0 && (c.Kafka.TLS || c.Kafka.SASLMechanism != "") {
		return errors.New("KAFKA_BROKERS: is empty, which means the embedded broker, and that has neither TLS nor SASL: set it, or unset KAFKA_TLS_ENABLED and KAFKA_SASL_MECHANISM")
	}
	return nil
}

// connectionConfig is what a command needs that reads or writes values.
type connectionConfig struct {
	Broker   brokerConfig
	Registry schemas.Config
}

// Validate returns the faults between the parts.
func (c connectionConfig) Validate() error {
	if len(c.Broker.Kafka.Brokers) > 0 && c.Registry.URL == "" {
		return errors.New("SCHEMA_REGISTRY_URL: is empty, and goes with KAFKA_BROKERS: without a registry nobody else can read what is on the topics")
	}
	return nil
}

// embeddedConfig is about the broker and the registry for trying out.
type embeddedConfig struct {
	DataDir string `env:"DATA_DIR,default=ringbridge-data"`
}

// logConfig says what is logged, and how.
type logConfig struct {
	Level  string `env:"LOG_LEVEL,default=info"`
	Format string `env:"LOG_FORMAT,default=text"`
}

// Validate returns every fault, each naming its variable.
func (c logConfig) Validate() error {
	var faults []error
	if _, err := c.level(); err != nil {
		faults = append(faults, errors.New("LOG_LEVEL: want debug, info, warn or error"))
	}
	if c.Format != formatText && c.Format != formatJSON {
		faults = append(faults, errors.New("LOG_FORMAT: want text or json"))
	}
	return errors.Join(faults...)
}

func (c logConfig) level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(c.Level))
	return level, err
}

// listenConfig is about the two listeners.
type listenConfig struct {
	Public  string        `env:"HTTP_ADDR,default=:8080"`
	Private string        `env:"ADMIN_ADDR,default=127.0.0.1:9090"`
	Token   secret.String `env:"ADMIN_TOKEN"`
}

// Validate returns every fault, each naming its variable.
func (c listenConfig) Validate() error {
	var faults []error
	for name, addr := range map[string]string{"HTTP_ADDR": c.Public, "ADMIN_ADDR": c.Private} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			faults = append(faults, fmt.Errorf("%s: want host:port or :port", name))
		}
	}
	if !loopback(c.Private) && c.Token.Reveal() == "" {
		faults = append(faults, errors.New("ADMIN_TOKEN: is empty, and ADMIN_ADDR is open to other machines: set it, or listen on 127.0.0.1"))
	}
	if c.Public == c.Private && !strings.HasSuffix(c.Public, ":0") {
		faults = append(faults, errors.New("ADMIN_ADDR: is the same as HTTP_ADDR: what is private must not be on the public listener"))
	}
	return errors.Join(faults...)
}

// loopback tells whether the address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return true // a fault of its own
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// consoleConfig is about what people see at the private listener.
type consoleConfig struct {
	MaskText bool `env:"CONSOLE_MASK_TEXT,default=false"`
}

// processConfig is about the process itself.
type processConfig struct {
	Account         string        `env:"ACCOUNT,default=default"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT,default=10s"`
	SpoolDir        string        `env:"SPOOL_DIR"`
	Traces          string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
}

// Validate returns every fault, each naming its variable.
func (c processConfig) Validate() error {
	var faults []error
	if strings.ContainsAny(c.Account, "/ \t\n") {
		faults = append(faults, errors.New("ACCOUNT: holds a slash or white space, and becomes a part of an address (ce_source)"))
	}
	if c.ShutdownTimeout <= 0 {
		faults = append(faults, errors.New("SHUTDOWN_TIMEOUT: want more than 0"))
	}
	faults = append(faults, addressFault("OTEL_EXPORTER_OTLP_ENDPOINT", c.Traces, "put them into OTEL_EXPORTER_OTLP_HEADERS"))
	return errors.Join(faults...)
}

// addressFault checks a URL that may be empty; instead says where credentials
// belong. The value is not repeated: it may hold them.
func addressFault(name, value, instead string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("%s: want an address such as https://example.com", name)
	case u.User != nil:
		return fmt.Errorf("%s: holds credentials; %s", name, instead)
	}
	return nil
}
