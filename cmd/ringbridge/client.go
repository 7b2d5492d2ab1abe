package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// connectTimeout is how long a command waits for Kafka before it gives up. The
// bridge itself waits for ever.
const connectTimeout = 10 * time.Second

// clientOptions returns the options of every Kafka client of the process.
func clientOptions(cfg brokerConfig, logger *slog.Logger) ([]kgo.Opt, error) {
	opts, err := cfg.Kafka.Options()
	if err != nil {
		return nil, err
	}
	return append(opts, kgo.WithLogger(newClientLogger(logger))), nil
}

// dial connects a command to Kafka, or says in one line why it can't.
func dial(ctx context.Context, cfg brokerConfig, logger *slog.Logger, extra ...kgo.Opt) (*kgo.Client, error) {
	opts, err := clientOptions(cfg, logger)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := client.Ping(bounded); err != nil {
		client.Close()
		return nil, fmt.Errorf("kafka: cannot reach %v: %s", cfg.Kafka.Brokers, plainly(err))
	}
	return client, nil
}

// dialAdmin is dial for what only asks about topics and groups.
func dialAdmin(ctx context.Context, cfg brokerConfig, logger *slog.Logger) (*kadm.Client, error) {
	client, err := dial(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(client), nil
}

// refused tells whether the broker said a definite no to our credentials: no
// waiting mends that.
func refused(err error) bool {
	for _, definite := range []error{
		kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.ClusterAuthorizationFailed,
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed,
	} {
		if errors.Is(err, definite) {
			return true
		}
	}
	return false
}

// plainly returns the innermost cause in one line: what a person needs of a
// failed connection, and the same each time it fails in the same way.
func plainly(err error) string {
	// Which of these comes is a matter of microseconds.
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, closed) {
			return "connection closed by the other side"
		}
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return oneLine(err.Error())
		}
		err = inner
	}
}

// clientMetrics hangs the Kafka client's own metrics into the registry, once
// for each part of the process: a stage may open a second client for a while,
// whose traffic is then counted with the first one's.
type clientMetrics struct {
	*kprom.Metrics
	once sync.Once
}

func newClientMetrics(part string, registry prometheus.Registerer) *clientMetrics {
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"client": part}, registry)
	return &clientMetrics{Metrics: kprom.NewMetrics("ringbridge_kafka", kprom.Registerer(labelled))}
}

// OnNewClient implements kgo.HookNewClient.
func (m *clientMetrics) OnNewClient(client *kgo.Client) {
	m.once.Do(func() { m.Metrics.OnNewClient(client) })
}

// OnClientClosed implements kgo.HookClientClosed: the metrics outlive a client.
func (*clientMetrics) OnClientClosed(*kgo.Client) {}
