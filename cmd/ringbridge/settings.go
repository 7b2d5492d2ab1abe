package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// A setting is one variable, bound to the field that it fills.
type setting struct {
	name     string // the variable
	fallback string // its value when it is not set
	secret   bool   // never shown, and also read from NAME_FILE
	field    reflect.Value
	tag      reflect.StructTag
}

// settingsOf lists the settings of a configuration (a pointer to a struct of
// structs whose fields have env tags), in the order of its fields.
func settingsOf(target any) []setting { return walkSettings(reflect.ValueOf(target).Elem()) }

func walkSettings(v reflect.Value) (found []setting) {
	for i := range v.NumField() {
		field, meta := v.Field(i), v.Type().Field(i)
		tag, ok := meta.Tag.Lookup("env")
		if !ok {
			if field.Kind() == reflect.Struct && meta.IsExported() {
				found = append(found, walkSettings(field)...)
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		_, fallback, _ := strings.Cut(options, "default=")
		_, secret := reflect.TypeAssert[interface{ Reveal() string }](field)
		found = append(found, setting{name: name, fallback: fallback, secret: secret, field: field, tag: meta.Tag})
	}
	return found
}

// load fills the configuration from the environment and validates it. All
// faults come back in one error, each naming its variable; no secret is in it.
func load(ctx context.Context, target any, env envconfig.Lookuper) error {
	var faults configError
	env = notEmpty{env}
	for _, s := range settingsOf(target) {
		faults.add(s.read(ctx, env))
	}
	faults.addNew(validateAll(reflect.ValueOf(target).Elem()))
	if len(faults.faults) == 0 {
		return nil
	}
	return &faults
}

// read fills the setting's field.
func (s setting) read(ctx context.Context, env envconfig.Lookuper) error {
	if s.secret {
		withFile, err := secretFile(s.name, env)
		if err != nil {
			return err
		}
		env = withFile
	}
	// envconfig stops at the first fault of a struct, so each field is put into
	// a struct of its own.
	alone := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Value", Type: s.field.Type(), Tag: s.tag}}))
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: alone.Interface(), Lookuper: env}); err != nil {
		// The library's error repeats the value, and a value that is wrong here
		// may be a secret meant for the next variable.
		return fmt.Errorf("%s: want %s", s.name, s.want())
	}
	value := alone.Elem().Field(0)
	if list, ok := reflect.TypeAssert[[]string](value); ok {
		value = reflect.ValueOf(trimmed(list))
	}
	s.field.Set(value)
	return nil
}

// want describes the values that the setting's type can take.
func (s setting) want() string {
	switch s.field.Interface().(type) {
	case time.Duration:
		return "a duration such as 500ms, 30s or 15m"
	case bool:
		return "true or false"
	case int, int32, int64:
		return "a whole number"
	case float64:
		return "a number"
	}
	return "another value: this one can't be read"
}

// trimmed returns the elements without white space around them and without
// empty ones: "a, b," names two.
func trimmed(list []string) []string {
	var out []string
	for _, element := range list {
		if element = strings.TrimSpace(element); element != "" {
			out = append(out, element)
		}
	}
	return out
}

// validateAll calls Validate of the configuration and of every struct within.
func validateAll(v reflect.Value) error {
	var faults []error
	for i := range v.NumField() {
		if field := v.Field(i); field.Kind() == reflect.Struct && v.Type().Field(i).IsExported() {
			faults = append(faults, validateAll(field))
		}
	}
	if part, ok := reflect.TypeAssert[interface{ Validate() error }](v.Addr()); ok {
		faults = append(faults, part.Validate())
	}
	return errors.Join(faults...)
}

// notEmpty treats a variable that is set to nothing as not set, as compose
// files and charts do with what they leave out.
type notEmpty struct{ envconfig.Lookuper }

// Lookup implements envconfig.Lookuper.
func (e notEmpty) Lookup(name string) (string, bool) {
	value, ok := e.Lookuper.Lookup(name)
	return value, ok && value != ""
}

// configError is every fault of the configuration, in one message.
type configError struct{ faults []error }

// Error lists the faults, one a line.
func (e *configError) Error() string {
	noun := "faults"
	if len(e.faults) == 1 {
		noun = "fault"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "configuration: %d %s:", len(e.faults), noun)
	for _, fault := range e.faults {
		b.WriteString("\n  " + fault.Error())
	}
	return b.String()
}

func (e *configError) add(err error) {
	if err != nil {
		e.faults = append(e.faults, err)
	}
}

// addNew adds the faults that a joined error holds, without those of variables
// that have one already: a value that can't be read looks empty to Validate.
func (e *configError) addNew(err error) {
	var known []string
	for _, fault := range e.faults {
		known = append(known, variablesOf(fault)...)
	}
	for _, fault := range leaves(err) {
		if !slices.ContainsFunc(variablesOf(fault), func(name string) bool { return slices.Contains(known, name) }) {
			e.faults = append(e.faults, fault)
		}
	}
}

// leaves takes joined errors apart.
func leaves(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, part := range joined.Unwrap() {
			out = append(out, leaves(part)...)
		}
		return out
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

var variableForm = regexp.MustCompile(`[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|ACCOUNT`)

// variablesOf returns the variables that a fault begins with: those before its
// first colon. A secret's file is the secret.
func variablesOf(fault error) []string {
	head, _, _ := strings.Cut(fault.Error(), ":")
	names := variableForm.FindAllString(head, -1)
	for _, name := range names {
		if secret, ok := strings.CutSuffix(name, fileSuffix); ok {
			names = append(names, secret)
		}
	}
	return names
}
