package main

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestARowNamesWhatIsThere(t *testing.T) {
	repository := fstest.MapFS{
		"a/a.go":      {Data: []byte("package a\nfunc (c *Client) Get() {}\nfunc Plain() {}")},
		"a/a_test.go": {Data: []byte("package a\nimport _ " + sandboxPath + "\nfunc TestGet(t *testing.T) {}")},
		"b/b_test.go": {Data: []byte("package b\nfunc TestAlone(t *testing.T) {}")},
	}
	get, shown := place{Dir: "a", Name: "Client.Get"}, place{Dir: "a", Name: "TestGet"}
	found, err := findSystems(repository, []system{{Code: get, Test: shown}})
	require.NoError(t, err)
	require.Equal(t, "a/a.go", found[0].Code.File)
	require.Equal(t, "a/a_test.go", found[0].Test.File)

	for fact, c := range map[string]struct {
		row  system
		want string
	}{
		"code that is gone":         {system{Code: place{Dir: "a", Name: "Get"}, Test: shown}, "no Get in a"},
		"a test that is gone":       {system{Code: get, Test: place{Dir: "a", Name: "TestSet"}}, "no TestSet in a"},
		"a test without a sandbox":  {system{Code: get, Test: place{Dir: "b", Name: "TestAlone"}}, "do not use the sandbox"},
		"a package that is nowhere": {system{Code: place{Dir: "c", Name: "X"}, Test: shown}, "c"},
	} {
		t.Run(fact, func(t *testing.T) {
			_, err := findSystems(repository, []system{c.row})
			require.ErrorContains(t, err, c.want)
		})
	}
}
