package crash_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/crash"
)

// TestAPowerCutTakesWhatWasNotFsyncedAndNothingElse cuts the power of the same disk many times.
func TestAPowerCutTakesWhatWasNotFsyncedAndNothingElse(t *testing.T) {
	tests := map[string]struct {
		ledger string // of the file "a.spool", which holds "durabletail"
		kept   string // must be there
		spared bool   // nothing may change
		gone   bool   // the file may be missing
	}{
		"all is fsynced":                  {ledger: "0 a.spool\n7 a.spool\n11 a.spool\n", kept: "durabletail", spared: true},
		"a write is not fsynced":          {ledger: "0 a.spool\n7 a.spool\n", kept: "durable"},
		"nothing is but the name":         {ledger: "0 a.spool\n"},
		"not even the name":               {ledger: "11 b.spool\n", gone: true},
		"there is no ledger at all":       {gone: true},
		"what was told last counts":       {ledger: "0 a.spool\n11 a.spool\n7 a.spool\n", kept: "durable"},
		"the content is, the name not":    {ledger: "7 a.spool\n", kept: "durable", gone: true},
		"other files do not tell of this": {ledger: "0 a.spool\n7 a.spool\n11 b.spool\n", kept: "durable"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			found, dir := map[string]int{}, t.TempDir()
			path, ledger := filepath.Join(dir, "a.spool"), filepath.Join(dir, "ledger")
			if test.ledger != "" {
				require.NoError(t, os.WriteFile(ledger, []byte(test.ledger), 0o600))
			}
			for seed := range uint64(200) {
				require.NoError(t, os.WriteFile(path, []byte("durabletail"), 0o600))
				lost, err := crash.CutPower(dir, ledger, rand.New(rand.NewPCG(seed, 0)))
				require.NoError(t, err)
				require.Equal(t, int64(len("durabletail")-len(test.kept)), lost)
				data, err := os.ReadFile(path)
				if test.gone && os.IsNotExist(err) {
					found["gone"]++
					continue
				}
				require.NoError(t, err)
				require.True(t, bytes.HasPrefix(data, []byte(test.kept)))
				require.LessOrEqual(t, len(data), len("durabletail"))
				found[string(data)]++
			}
			if test.spared {
				require.Len(t, found, 1)
			} else {
				require.Greater(t, len(found), 10, "whole, cut anywhere, and garbage behind")
				require.Positive(t, found["durabletail"], "the tail may have reached the disk")
				require.Positive(t, found[test.kept], "and it may not")
			}
			require.Equal(t, test.gone, found["gone"] > 0)
		})
	}
}

func TestAFileShorterThanToldIsAnError(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.spool"), []byte("1234"), 0o600))
	ledger := filepath.Join(dir, "ledger")
	require.NoError(t, os.WriteFile(ledger, []byte("5 a.spool\n"), 0o600))
	_, err := crash.CutPower(dir, ledger, rand.New(rand.NewPCG(1, 0)))
	require.ErrorContains(t, err, "durable up to 5")
}
