package crash_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
)

// TestThePointsAreThoseOfTheCode keeps the table complete: a point that is not in it would never be hit.
func TestThePointsAreThoseOfTheCode(t *testing.T) {
	named := inCode(t)
	require.ElementsMatch(t, named["Hit"], append(crash.Points(), crash.Unvisited()...))
	require.ElementsMatch(t, named["Off"], crash.Safeguards())
	require.ElementsMatch(t, named["Fail"], crash.Failures())
}

// inCode returns the names by the function that they are given to.
func inCode(t *testing.T) map[string][]string {
	t.Helper()
	call := regexp.MustCompile(`failpoint\.(Hit|Off|Fail)\("([^"]+)"\)`)
	named := map[string][]string{}
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range call.FindAllStringSubmatch(string(text), -1) {
			named[found[1]] = append(named[found[1]], found[2])
		}
		return err
	}))
	return named
}
