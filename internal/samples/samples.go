// Package samples holds payloads of Engage Digital and of the RingCentral
// platform, from their documentation and from recordings, for tests. INDEX.md
// tells where each comes from.
package samples

import (
	"embed"
	"encoding/json"
	"strconv"
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

// Webhooks returns the requests of Engage Digital's webhooks, by name.
func Webhooks() map[string][]byte {
	return pick(func(name string) bool { return strings.HasPrefix(name, "ed_") && strings.Contains(name, "webhook") })
}

// Notifications returns the requests of the platform's webhooks, by name.
func Notifications() map[string][]byte {
	return pick(func(name string) bool { return strings.HasPrefix(name, "rc_event_") })
}

// Messages returns messages of the message store, by name: what single calls
// answered, and each record of what lists and syncs did, with its number.
func Messages() map[string][]byte {
	messages := map[string][]byte{}
	answers := pick(func(name string) bool {
		return strings.HasPrefix(name, "rc_message_") || strings.HasPrefix(name, "rc_mock_message_") || strings.HasPrefix(name, "rc_sms_")
	})
	for name, answer := range answers {
		var list struct {
			Records []json.RawMessage `json:"records"`
		}
		if err := json.Unmarshal(answer, &list); err != nil {
			panic("samples: " + name + ": " + err.Error())
		}
		if list.Records == nil {
			messages[name] = answer
		}
		for i, record := range list.Records {
			messages[name+"_"+strconv.Itoa(i)] = record
		}
	}
	return messages
}

// pick returns the samples of which the name is wanted.
func pick(wanted func(name string) bool) map[string][]byte {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("samples: " + err.Error())
	}
	picked := map[string][]byte{}
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".json"); wanted(name) {
			picked[name] = Get(name)
		}
	}
	return picked
}
