// Package samples holds payloads of Engage Digital, from its documentation and
// from recordings, for tests. INDEX.md tells where each comes from.
package samples

import (
	"embed"
	"strings"
)

//go:embed *.json
var files embed.FS

// Get returns a sample by its file name without ".json". It panics for one that
// is not there: names are constants of tests.
func Get(name string) []byte {
	raw, err := files.ReadFile(name + ".json")
	if err != nil {
		panic("samples: " + err.Error())
	}
	return raw
}

// Webhooks returns the requests of webhooks, by name.
func Webhooks() map[string][]byte {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("samples: " + err.Error())
	}
	requests := map[string][]byte{}
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".json"); strings.Contains(name, "webhook") {
			requests[name] = Get(name)
		}
	}
	return requests
}
