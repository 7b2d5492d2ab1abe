package publish_test

import (
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/samples"
	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// FuzzNothingBreaksTheParser gives the parser any body, from a webhook and from a
// poll. What it becomes is the fault of the body, or a value that survives its
// encoding and is a repetition the second time.
func FuzzNothingBreaksTheParser(f *testing.F) {
	codec, err := codecOnce()
	require.NoError(f, err)
	for _, request := range samples.Webhooks() {
		event := webhook(sample(f, request))
		f.Add(event.Body, event.Kind)
	}
	f.Add(samples.Get("ed_content_create_response_doc"), "content")
	identity, err := os.ReadFile("testdata/identity.json")
	require.NoError(f, err)
	f.Add(identity, "identity")
	f.Add([]byte(imported(lenient)), "content.imported")
	f.Add([]byte(imported(`{"body":"x","attachments":[{"size":1e400}]}`)), "content.imported")
	f.Add([]byte(`{"id":1,"context_data":[]}`), "content")
	f.Add([]byte(`{"id":"1","extra_values":{"a":1}}`), "identity")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		for _, origin := range []schemas.Origin{schemas.OriginWebhook, schemas.OriginPoll} {
			state := publish.NewState()
			a := schemas.Arrival{Origin: origin, API: schemas.ApiEngage, Kind: kind, Body: body, ReceivedAt: received}
			first, err := state.Take(a)
			if err != nil {
				var parse *publish.ParseError
				require.ErrorAs(t, err, &parse)
				continue
			}
			require.NotNil(t, first)
			requireSurvives(t, codec, first)
			again, err := state.Take(a)
			require.NoError(t, err)
			require.Nil(t, again, "the same arrival again is a repetition")
		}
	})
}

// requireSurvives encodes and decodes a value.
func requireSurvives(t *testing.T, codec *schemas.Codec, value schemas.Value) {
	t.Helper()
	data, err := codec.Encode(value)
	require.NoError(t, err)
	same := reflect.New(reflect.TypeOf(value).Elem()).Interface().(schemas.Value)
	require.NoError(t, codec.Decode(t.Context(), data, same))
	require.Equal(t, value, same)
}
