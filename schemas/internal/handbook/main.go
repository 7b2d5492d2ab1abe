// Command handbook writes schemas/README.md: what is on the topics, field by field, from the schemas; which way in shows each field; and how
// RingCentral's systems are reached, from the code and its tests.
//
// It runs in the folder schemas, by go generate. It fails for a system of which the code or the test is not where the table
// says, so that no row can outlive what it names.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
)

//go:embed README.tmpl
var page string

func main() {
	if err := write("README.md", os.DirFS(".").(files), os.DirFS("..").(files)); err != nil {
		fmt.Fprintln(os.Stderr, "handbook:", err)
		os.Exit(1)
	}
}

// write puts the page at path, from the schemas and the repository.
func write(path string, schemas, repository files) error {
	records, err := readRecords(schemas)
	if err != nil {
		return err
	}
	systems, err := findSystems(repository, systems())
	if err != nil {
		return err
	}
	var out strings.Builder
	t := template.Must(template.New("page").Parse(page))
	if err := t.Execute(&out, map[string]any{"Records": records, "Guides": guides(), "Systems": systems}); err != nil {
		return fmt.Errorf("fill the page: %w", err)
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}
