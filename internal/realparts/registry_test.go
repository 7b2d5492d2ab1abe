//go:build real

package realparts_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
)

// What these pin down is the registry's behaviour, not ours: the code that talks to it leans on each fact.

const (
	plain    = `{"type":"record","name":"Thing","namespace":"real","fields":[{"name":"a","type":"string","default":""}]}`
	spaced   = `{"type":"record", "name":"Thing", "namespace":"real", "fields":[{"name":"a","type":"string","default":""}]}`
	without  = `{"type":"record","name":"Thing","namespace":"real","fields":[]}`
	retyped  = `{"type":"record","name":"Thing","namespace":"real","fields":[{"name":"a","type":"int","default":0}]}`
	required = `{"type":"record","name":"Thing","namespace":"real","fields":[{"name":"a","type":"string","default":""},{"name":"b","type":"string"}]}`
)

func TestRegistryGivesOneSchemaOneID(t *testing.T) {
	client := newRegistry(t)
	first := register(t, client, "one-value", plain)
	require.Equal(t, first, register(t, client, "one-value", plain), "registered again")
	require.Equal(t, first, register(t, client, "other-value", plain), "under another subject")
	require.NotEqual(t, first, register(t, client, "one-value", spaced), "the text is compared, not the schema")

	normalized, err := client.RegisterSchema(sr.WithParams(t.Context(), sr.Normalize), "third-value", avro(plain), -1, -1)
	require.NoError(t, err)
	again, err := client.RegisterSchema(sr.WithParams(t.Context(), sr.Normalize), "third-value", avro(spaced), -1, -1)
	require.NoError(t, err)
	require.Equal(t, normalized, again, "with normalize the schema is compared")
}

func TestRegistryKeepsEachSubjectsCompatibility(t *testing.T) {
	client := newRegistry(t)
	for _, level := range []sr.CompatibilityLevel{sr.CompatFullTransitive, sr.CompatBackwardTransitive} {
		subject := level.String() + "-value"
		// Before the subject exists, so that not even its second version goes unchecked.
		set := client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: level}, subject)
		require.NoError(t, set[0].Err)
		register(t, client, subject, plain)
		got := client.Compatibility(t.Context(), subject)
		require.NoError(t, got[0].Err)
		require.Equal(t, level, got[0].Level)
		_, err := client.RegisterSchema(t.Context(), subject, avro(required), -1, -1)
		require.Equal(t, http.StatusConflict, status(t, err))
	}
}

func TestRegistryChecksAgainstAllVersionsOnlyWhenAskedFor(t *testing.T) {
	client := newRegistry(t)
	set := client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: sr.CompatFullTransitive}, "steps-value")
	require.NoError(t, set[0].Err)
	register(t, client, "steps-value", plain)
	register(t, client, "steps-value", without)

	latest, err := client.CheckCompatibility(t.Context(), "steps-value", -1, avro(retyped))
	require.NoError(t, err)
	require.True(t, latest.Is, "against the latest alone, whatever the subject's level")
	all, err := client.CheckCompatibility(t.Context(), "steps-value", -2, avro(retyped))
	require.NoError(t, err)
	require.False(t, all.Is)
}

func TestRegistrySaysWhatIsMissing(t *testing.T) {
	client := newRegistry(t)
	_, err := client.SchemaByVersion(t.Context(), "nobody-value", -1)
	require.Equal(t, 40401, code(t, err), "no subject")
	_, err = client.SchemaByID(t.Context(), 999_999)
	require.Equal(t, 40403, code(t, err), "no schema id")
	_, err = client.CheckCompatibility(t.Context(), "nobody-value", -2, avro(plain))
	require.Equal(t, 40401, code(t, err), "no subject to check against")

	register(t, client, "somebody-value", plain)
	_, err = client.LookupSchema(t.Context(), "somebody-value", avro(required))
	require.Equal(t, 40403, code(t, err), "the subject lacks this schema")
}

func newRegistry(t *testing.T) *sr.Client {
	t.Helper()
	client, err := sr.NewClient(sr.URLs(parts.Registry.URL()))
	require.NoError(t, err)
	return client
}

func avro(text string) sr.Schema { return sr.Schema{Schema: text, Type: sr.TypeAvro} }

func register(t *testing.T, client *sr.Client, subject, text string) int {
	t.Helper()
	made, err := client.CreateSchema(t.Context(), subject, avro(text))
	require.NoError(t, err)
	return made.ID
}

func code(t *testing.T, err error) int {
	t.Helper()
	var answer *sr.ResponseError
	require.ErrorAs(t, err, &answer)
	return answer.ErrorCode
}

func status(t *testing.T, err error) int {
	t.Helper()
	var answer *sr.ResponseError
	require.ErrorAs(t, err, &answer)
	return answer.StatusCode
}
