// Command generate writes the Go types of the Avro schemas, schemas/types_gen.go.
//
// It reads the .avsc files of the current folder in the order given by their
// references, so that each named type becomes one Go type however many schemas
// use it. Run it with go generate ./schemas; a test compares its output with the
// file that is checked in.
package main

import (
	"fmt"
	"os"

	"github.com/ringbridge/ringbridge/schemas/internal/gotypes"
)

func main() {
	code, err := gotypes.Generate(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	if err := os.WriteFile("types_gen.go", code, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
