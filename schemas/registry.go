package schemas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// registryTimeout bounds one call to the registry. A registry answers in
// milliseconds; longer than this, it is down, and the caller's retry decides.
const registryTimeout = 10 * time.Second

// A Registry is a schema registry with Confluent's API. It is safe for
// concurrent use and holds no connection that must be closed.
type Registry struct{ client *sr.Client }

// UnavailableError says that the registry did not answer, or could not: trying
// again later may help. Every other error of a Registry is a definite no.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string { return "schema registry unavailable: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// NewRegistry returns a client of the registry that cfg names.
func NewRegistry(cfg Config) (*Registry, error) {
	opts := []sr.ClientOpt{
		sr.URLs(cfg.URL),
		sr.UserAgent("ringbridge"),
		sr.HTTPClient(&http.Client{Timeout: registryTimeout}),
	}
	if cfg.Username != "" {
		opts = append(opts, sr.BasicAuth(cfg.Username, cfg.Password.Reveal()))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("schemas: registry client: %w", err)
	}
	return &Registry{client: client}, nil
}

// Prepare finds the ids of the binary's schemas for the topics under prefix and
// returns the codec that uses them. Each schema is first checked against every
// version that the registry holds. A schema that the registry does not hold is
// registered, or with register false refused.
func (r *Registry) Prepare(ctx context.Context, prefix string, register bool) (*Codec, error) {
	ids := map[string]int{}
	for _, subject := range Subjects() {
		id, err := r.prepare(ctx, subject, prefix, register)
		if err != nil {
			return nil, err
		}
		ids[subject.Record] = id
	}
	return newCodec(r, ids)
}

func (r *Registry) prepare(ctx context.Context, subject Subject, prefix string, register bool) (int, error) {
	state, err := r.Check(ctx, subject, prefix)
	if err != nil {
		return 0, err
	}
	if len(state.Conflicts) > 0 {
		return 0, &IncompatibleError{State: state}
	}
	if state.ID != 0 && (!register || state.Level == subject.Compatibility) {
		return state.ID, nil
	}
	if !register {
		return 0, fmt.Errorf("schemas: subject %s does not hold this program's %s: run `ringbridge schemas register`, or set SCHEMA_REGISTRY_REGISTER=true", state.Name, subject.Record)
	}
	return r.register(ctx, subject, state)
}

// register sets the subject's rule and puts the schema under it. Both calls are
// safe to repeat, and safe when replicas start together.
func (r *Registry) register(ctx context.Context, subject Subject, state State) (int, error) {
	var level sr.CompatibilityLevel
	if err := level.UnmarshalText([]byte(subject.Compatibility)); err != nil {
		return 0, fmt.Errorf("schemas: %w", err)
	}
	for _, result := range r.client.SetCompatibility(ctx, sr.SetCompatibility{Level: level}, state.Name) {
		if result.Err != nil {
			return 0, classify("set compatibility of "+state.Name, result.Err)
		}
	}
	id, err := r.client.RegisterSchema(ctx, state.Name, sr.Schema{Schema: Text(subject.Record)}, -1, -1)
	if err != nil {
		return 0, classify("register "+state.Name, err)
	}
	return id, nil
}

// schemaText fetches a schema by its id. A registry that does not know the id
// makes the value undecodable: ids are given once and never reused.
func (r *Registry) schemaText(ctx context.Context, id int) (string, error) {
	schema, err := r.client.SchemaByID(ctx, id)
	if isMissing(err) {
		return "", &UndecodableError{fmt.Errorf("the registry knows no schema %d", id)}
	}
	if err != nil {
		return "", classify(fmt.Sprintf("fetch schema %d", id), err)
	}
	if schema.Type != sr.TypeAvro {
		return "", &UndecodableError{fmt.Errorf("schema %d is %s, not Avro", id, schema.Type)}
	}
	return schema.Schema, nil
}

func isMissing(err error) bool {
	var answer *sr.ResponseError
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

// classify wraps an error of the client: an answer below 500 is a definite no,
// all else (no connection, a time-out, a 5xx) is an outage.
func classify(op string, err error) error {
	if err == nil {
		return nil
	}
	var answer *sr.ResponseError
	if errors.As(err, &answer) && answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("schemas: %s: the registry answered %d: %w", op, answer.StatusCode, err)
	}
	return &UnavailableError{fmt.Errorf("%s: %w", op, err)}
}
