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
	points, safeguards := inCode(t)
	require.ElementsMatch(t, points, crash.Points())
	require.ElementsMatch(t, safeguards, crash.Safeguards())
}

func inCode(t *testing.T) (points, safeguards []string) {
	t.Helper()
	call := regexp.MustCompile(`failpoint\.(Hit|Off)\("([^"]+)"\)`)
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range call.FindAllStringSubmatch(string(text), -1) {
			if found[1] == "Hit" {
				points = append(points, found[2])
			} else {
				safeguards = append(safeguards, found[2])
			}
		}
		return err
	}))
	return points, safeguards
}
