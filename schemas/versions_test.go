package schemas_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/schemas"
	"github.com/ringbridge/ringbridge/schemas/internal/gotypes"
)

var update = flag.Bool("update", false, "keep a changed schema as its next version")

// TestEveryVersionStaysReadable holds the schemas against every version that
// was ever kept. A changed schema fails until it is kept as the next version:
// go test ./schemas -run Version -update.
func TestEveryVersionStaysReadable(t *testing.T) {
	for _, subject := range schemas.Subjects() {
		t.Run(subject.Record, func(t *testing.T) {
			own := indented(t, schemas.Text(subject.Record))
			var newest string
			n := 1
			for ; ; n++ {
				kept, err := os.ReadFile(versionFile(subject, n))
				if os.IsNotExist(err) {
					break
				}
				require.NoError(t, err)
				newest = string(kept)
				require.NoError(t, schemas.Compatible(own, newest, subject.Compatibility), "version %d", n)
			}
			if *update && newest != own {
				require.NoError(t, os.WriteFile(versionFile(subject, n), []byte(own), 0o644))
				newest = own
			}
			require.Equal(t, newest, own, "the schema changed: keep it with -update")
		})
	}
}

func versionFile(subject schemas.Subject, n int) string {
	return filepath.Join("versions", fmt.Sprintf("%s.v%d.avsc", subject.Record, n))
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, []byte(text), "", "  "))
	return out.String() + "\n"
}

func TestGoTypesAreThoseOfTheSchemas(t *testing.T) {
	want, err := gotypes.Generate(os.DirFS("."))
	require.NoError(t, err)
	got, err := os.ReadFile("types_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate ./schemas")
}

func TestARemovedFieldIsNoticed(t *testing.T) {
	older := `{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"string"}]}`
	newer := `{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}`
	require.NoError(t, schemas.Compatible(newer, older, schemas.BackwardTransitive))
	require.Error(t, schemas.Compatible(newer, older, schemas.FullTransitive))
}
