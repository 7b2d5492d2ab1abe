package schemas

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/hamba/avro/v2"
)

// State is how a subject stands in the registry.
type State struct {
	Name      string        // the subject's name
	Subject   Subject       // what the binary wants there
	Versions  int           // how many versions the registry holds
	ID        int           // id of the binary's own schema; 0 = the registry does not hold it
	Level     Compatibility // the rule set on the subject; "" = none of its own
	Conflicts []string      // why the binary's schema does not go with what is held; empty = it does
}

// IncompatibleError says that the binary's schema breaks the rule of a subject,
// so that somebody's reader or writer would stop working.
type IncompatibleError struct{ State State }

func (e *IncompatibleError) Error() string {
	return fmt.Sprintf("schemas: %s in this program is not %s with subject %s: %s",
		e.State.Subject.Record, e.State.Subject.Compatibility, e.State.Name, strings.Join(e.State.Conflicts, "; "))
}

// Check compares the binary's schema with every version of the subject that the
// registry holds, by the subject's rule.
func (r *Registry) Check(ctx context.Context, subject Subject, prefix string) (State, error) {
	state := State{Name: subject.Name(prefix), Subject: subject}
	held, err := r.client.Schemas(ctx, state.Name)
	if isMissing(err) {
		return state, nil
	}
	if err != nil {
		return state, classify("read "+state.Name, err)
	}
	state.Versions = len(held)
	own := Text(subject.Record)
	for _, version := range held {
		if same(own, version.Schema.Schema) {
			state.ID = version.ID
			continue
		}
		if err := Compatible(own, version.Schema.Schema, subject.Compatibility); err != nil {
			state.Conflicts = append(state.Conflicts, fmt.Sprintf("version %d: %v", version.Version, err))
		}
	}
	for _, result := range r.client.Compatibility(ctx, state.Name) {
		if result.Err == nil {
			state.Level = Compatibility(result.Level.String())
		}
	}
	return state, nil
}

// same tells whether two schemas have the same text but for white space and the
// order of JSON keys. It is stricter than the canonical form, which leaves out
// defaults: two schemas of different defaults are two versions.
func same(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

// Compatible returns why newer cannot take its place beside older under the
// rule, or nil.
func Compatible(newer, older string, rule Compatibility) (err error) {
	defer recoverAs(&err, "the schemas cannot be compared")
	n, err := parse(newer)
	if err != nil {
		return fmt.Errorf("newer: %w", err)
	}
	o, err := parse(older)
	if err != nil {
		return fmt.Errorf("older: %w", err)
	}
	// The judge remembers its verdicts by fingerprint, which leaves out
	// defaults; one for each question keeps them apart.
	if err := avro.NewSchemaCompatibility().Compatible(n, o); err != nil {
		return fmt.Errorf("cannot read what the older wrote: %w", err)
	}
	if rule == FullTransitive {
		if err := avro.NewSchemaCompatibility().Compatible(o, n); err != nil {
			return fmt.Errorf("cannot be read by the older: %w", err)
		}
	}
	return nil
}
