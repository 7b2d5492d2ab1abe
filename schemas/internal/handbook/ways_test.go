package main

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/schemas"
)

func TestTheGuidesListEveryFieldOfTheirRecords(t *testing.T) {
	records := map[string]any{
		"Content": schemas.Content{}, "Identity": schemas.Identity{}, "Message": schemas.Message{}, "Attachment": schemas.Attachment{},
	}
	require.Len(t, guides(), len(records))
	for _, g := range guides() {
		var want, got []string
		for _, field := range reflect.VisibleFields(reflect.TypeOf(records[g.Record])) {
			want = append(want, field.Tag.Get("avro"))
		}
		for _, field := range g.Fields {
			got = append(got, field.Name)
			require.Len(t, field.Members, len(g.Ways), field.Name)
			require.NotEqual(t, make([]string, len(g.Ways)), field.Members, "%s: some way shows it", field.Name)
		}
		require.Equal(t, want, got, g.Record)
	}
}
