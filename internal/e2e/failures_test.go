package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// failures is how many failures CONTRIBUTING.md lists.
const failures = 18

// The patterns of a row of the list, and of its test with the comment above it.
const (
	failureRow  = "(?m)^\\| (\\d+) \\| .+ \\| `([a-z0-9/]+)` \\| `(Test\\w+)` \\|$"
	failureTest = `(?m)^// Peer failure %s: .+\n(?://.*\n)*func %s\(t \*testing\.T\) \{$`
)

func TestEveryFailureListedHasItsTest(t *testing.T) {
	list, err := os.ReadFile("../../CONTRIBUTING.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(failureRow).FindAllStringSubmatch(string(list), -1)
	require.Len(t, rows, failures)
	for i, row := range rows {
		number, dir, test := row[1], row[2], row[3]
		require.Equal(t, fmt.Sprint(i+1), number)
		files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
		require.NoError(t, err)
		var source []byte
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			source = append(source, text...)
		}
		require.Regexp(t, fmt.Sprintf(failureTest, number, test), string(source), "failure %s in %s", number, dir)
	}
}
