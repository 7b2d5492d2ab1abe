package publish_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// officialArrival returns an arrival of a record, with nothing in it but its id and, unless path is
// "", one field.
func officialArrival(t *testing.T, record, path string) schemas.Arrival {
	t.Helper()
	object := map[string]any{"id": "1"}
	if record == "instant" {
		object = map[string]any{"event": "/restapi/v1.0/account/1/extension/2/message-store/instant", "uuid": "u", "body": map[string]any{"id": "1"}}
	}
	if path != "" {
		setPath(object, strings.Split(path, "."), officialValue(path))
	}
	body, err := json.Marshal(object)
	require.NoError(t, err)
	switch record {
	case "message":
		return message(string(body))
	case "instant":
		return notice(string(body))
	case "engage_content":
		return row("content", string(body))
	case "engage_identity":
		return row("identity", string(body))
	case "social_content":
		return social("content", string(body))
	case "social_identity":
		return social("identity", string(body))
	}
	require.Fail(t, "no such record", record)
	return schemas.Arrival{}
}

// setPath sets a field within objects and lists, which it makes.
func setPath(object map[string]any, path []string, value any) {
	switch {
	case len(path) == 1:
		object[path[0]] = value
	case path[1] == "[]":
		element := map[string]any{}
		object[path[0]] = []any{element}
		setPath(element, path[2:], value)
	default:
		within, ok := object[path[0]].(map[string]any)
		if !ok {
			within = map[string]any{}
			object[path[0]] = within
		}
		setPath(within, path[1:], value)
	}
}

// officialValue returns a value of the kind that the field has.
func officialValue(path string) any {
	name := path[strings.LastIndex(path, ".")+1:]
	switch name {
	case "size", "rating", "segmentCount":
		return 7654321
	case "private", "private_message", "public", "published", "remotely_deleted", "remotelyDeleted":
		return true
	case "direction":
		return "Outbound"
	case "readStatus":
		return "Read"
	case "type":
		return "SMS"
	case "event":
		return "/restapi/v1.0/account/1/extension/2/message-store/instant?marker"
	case "bodyInputFormat", "body_input_format":
		return "Html"
	case "status":
		return "user_reply"
	case "categoryIds", "foreignCategories", "category_ids", "foreign_categories", "userIds", "user_ids":
		return []string{"marker"}
	}
	if strings.HasSuffix(name, "Time") || strings.HasSuffix(name, "_at") || name == "timestamp" {
		return "2020-01-02T03:04:05.678Z"
	}
	return "marker"
}

// shown returns what an event holds at a place such as .message.to[].name.
func shown(t *testing.T, value schemas.Value, place string) any {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var at any
	require.NoError(t, json.Unmarshal(text, &at))
	for name := range strings.SplitSeq(strings.TrimPrefix(place, "."), ".") {
		name, isList := strings.CutSuffix(name, "[]")
		object, _ := at.(map[string]any)
		at = object[name]
		if list, _ := at.([]any); isList {
			if len(list) == 0 {
				return nil
			}
			at = list[0]
		}
	}
	return at
}

// TestNoOfficialFieldIsDropped sets each field of the API's descriptions alone: the event differs
// where the list says, or has it in its raw, or in its extra.
func TestNoOfficialFieldIsDropped(t *testing.T) {
	list, err := os.ReadFile("testdata/official-fields.txt")
	require.NoError(t, err)
	take := func(a schemas.Arrival) schemas.Value {
		value, err := publish.NewState().Take(a)
		require.NoError(t, err)
		require.NotNil(t, value)
		return value
	}
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		record, path, place := part[0], part[1], part[2]
		t.Run(record+" "+path, func(t *testing.T) {
			arrival := officialArrival(t, record, path)
			if path == "id" || path == "body.id" {
				arrival.Body = []byte(strings.Replace(string(arrival.Body), "marker", "2", 1))
			}
			value := take(arrival)
			switch v := value.(type) {
			case *schemas.ContentEvent:
				require.Equal(t, string(arrival.Body), *v.Raw)
			case *schemas.MessageEvent:
				require.Equal(t, string(arrival.Body), *v.Raw)
			case *schemas.Identity:
				if place == "extra" {
					require.Contains(t, v.Extra, path)
				}
			}
			if place == "raw" || place == "extra" {
				return
			}
			got := shown(t, value, place)
			require.NotNil(t, got)
			require.NotEqual(t, shown(t, take(officialArrival(t, record, "")), place), got)
		})
	}
}
