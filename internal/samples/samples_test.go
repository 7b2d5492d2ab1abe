package samples_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
)

// TestEverySampleIsUsed holds that each goes through the path that it belongs to: it is one of a family, each of which
// the tests of a path take in turn, or a test names it.
func TestEverySampleIsUsed(t *testing.T) {
	tests := source(t)
	families := samples.Webhooks()
	maps.Copy(families, samples.Notifications())
	maps.Copy(families, samples.Messages())
	names, err := filepath.Glob("*.json")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, file := range names {
		name := strings.TrimSuffix(file, ".json")
		if _, ok := families[name]; ok {
			continue
		}
		if _, ok := families[name+"_0"]; ok { // a list, of which each record is one
			continue
		}
		used := strings.Contains(tests, `"`+name+`"`) // a failure must not print all tests
		require.True(t, used, "no test reads %s", file)
	}
}

// source is the code of all tests.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("../..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	require.NoError(t, err)
	return all.String()
}
