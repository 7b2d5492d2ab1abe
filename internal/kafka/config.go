package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/ringbridge/ringbridge/internal/secret"
)

// Config says how to reach the brokers.
type Config struct {
	Brokers       []string      `env:"KAFKA_BROKERS"`        // host:port, several with commas; empty = the embedded broker
	TLS           bool          `env:"KAFKA_TLS_ENABLED"`    // TLS to the brokers
	TLSCAFile     string        `env:"KAFKA_TLS_CA_FILE"`    // PEM; empty = the system's roots
	TLSCertFile   string        `env:"KAFKA_TLS_CERT_FILE"`  // PEM; with KAFKA_TLS_KEY_FILE: a client certificate
	TLSKeyFile    string        `env:"KAFKA_TLS_KEY_FILE"`   // PEM
	SASLMechanism string        `env:"KAFKA_SASL_MECHANISM"` // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty = none
	SASLUsername  string        `env:"KAFKA_SASL_USERNAME"`  // not for OAUTHBEARER
	SASLPassword  secret.String `env:"KAFKA_SASL_PASSWORD"`  // for OAUTHBEARER the token
}

// mechanisms are the accepted values of KAFKA_SASL_MECHANISM.
func mechanisms() []string {
	return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}
}

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, broker := range c.Brokers {
		if strings.Contains(broker, "/") || strings.Contains(broker, "@") {
			fault("KAFKA_BROKERS: want host:port without a scheme or credentials; use KAFKA_TLS_ENABLED, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
			break
		}
	}
	if !c.TLS && (c.TLSCAFile != "" || c.TLSCertFile != "" || c.TLSKeyFile != "") {
		fault("KAFKA_TLS_ENABLED: is false, but a KAFKA_TLS_…_FILE is set")
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		fault("KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE: set both or neither")
	}
	if c.TLS {
		if _, err := c.tlsConfig(); err != nil {
			faults = append(faults, err)
		}
	}
	faults = append(faults, c.validateSASL()...)
	return errors.Join(faults...)
}

func (c Config) validateSASL() (faults []error) {
	switch {
	case c.SASLMechanism == "":
		if c.SASLUsername != "" || c.SASLPassword.Reveal() != "" {
			faults = append(faults, fmt.Errorf("KAFKA_SASL_MECHANISM: is empty, but a username or password is set; want one of %s", strings.Join(mechanisms(), ", ")))
		}
		return faults
	case !slices.Contains(mechanisms(), c.SASLMechanism):
		return append(faults, fmt.Errorf("KAFKA_SASL_MECHANISM: want one of %s", strings.Join(mechanisms(), ", ")))
	}
	if c.SASLUsername == "" && c.SASLMechanism != "OAUTHBEARER" {
		faults = append(faults, fmt.Errorf("KAFKA_SASL_USERNAME: is empty, and %s needs it", c.SASLMechanism))
	}
	if c.SASLPassword.Reveal() == "" {
		faults = append(faults, fmt.Errorf("KAFKA_SASL_PASSWORD: is empty, and %s needs it", c.SASLMechanism))
	}
	return faults
}

// Options returns the client options that reach the brokers. Each stage adds
// its own to them.
func (c Config) Options() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID("ringbridge")}
	if c.TLS {
		conf, err := c.tlsConfig()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(conf))
	}
	if mechanism := c.mechanism(); mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

func (c Config) mechanism() sasl.Mechanism {
	user, password := c.SASLUsername, c.SASLPassword.Reveal()
	switch c.SASLMechanism {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
	case "OAUTHBEARER":
		return oauth.Auth{Token: password}.AsMechanism()
	}
	return nil
}

func (c Config) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCAFile != "" {
		pem, err := os.ReadFile(c.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_TLS_CA_FILE: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("KAFKA_TLS_CA_FILE: holds no PEM certificate")
		}
	}
	if c.TLSCertFile != "" && c.TLSKeyFile != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_TLS_CERT_FILE, KAFKA_TLS_KEY_FILE: %w", err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}
