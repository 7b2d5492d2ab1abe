package publish_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// schemaFields returns the names of a record's fields, in alphabetical order.
func schemaFields(record any) []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(record)) {
		names = append(names, field.Tag.Get("json"))
	}
	slices.Sort(names)
	return names
}

func shownBy(t *testing.T, a schemas.Arrival) []string {
	t.Helper()
	read, err := publish.Read(a)
	require.NoError(t, err)
	require.False(t, read.Complete)
	return slices.Sorted(maps.Keys(read.Told))
}

// fullMetadata has a value for each field of a content.
const fullMetadata = `{"source_id":"s","source_type":"st","thread_id":"t","intervention_id":"i","in_reply_to_id":"r","in_reply_to_author_id":"ra",
	"author_id":"a","creator_id":"c","status":"new","type":"message","language":"fr","thread_title":"T","body":"b","body_input_format":"text",
	"private":false,"published":true,"remotely_deleted":false,"attachments":[],"category_ids":[],"foreign_id":"f","foreign_categories":[],
	"created_from":"synchronizer","created_at":"2026-03-01T11:00:00Z","updated_at":"2026-03-01T11:00:00Z","synchronization_status":"success",
	"synchronization_error":"","context_data":{},"rating":4,"rating_reason":"fast"}`

// fullText has a value for each field of a message.
const fullText = `{"id":"1","conversation":{"id":"9"},"owner":{"extensionId":"2","name":"Queue"},"direction":"Inbound","type":"SMS","from":{"phoneNumber":"+1"},
	"to":[],"subject":"hi","messageStatus":"Received","readStatus":"Read","availability":"Alive","attachments":[],"deliveryErrorCode":"x",
	"creationTime":"2026-03-01T11:00:00Z","lastModifiedTime":"2026-03-01T11:00:00Z","segmentCount":1,"smsDeliveryTime":"2026-03-01T11:00:00Z"}`

func TestAnEventSaysWhichFieldsItShows(t *testing.T) {
	social := func(resource string) schemas.Arrival {
		return withAPI(notice(`{"uuid":"u","event":"/cx/social-messaging/v1/contents/Imported","body":{"resource":`+resource+`}}`), schemas.ApiSocial)
	}
	require.Equal(t, schemaFields(schemas.Content{}), shownBy(t, webhook(imported(fullMetadata))), "every field of a content")
	require.Equal(t, schemaFields(schemas.Message{}), shownBy(t, notice(instant("u", fullText))), "every field of a message")
	for fact, c := range map[string]struct {
		arrival schemas.Arrival
		want    string
	}{
		"nothing but the id":              {webhook(imported(`{}`)), "id"},
		"null shows nothing":              {webhook(imported(`{"body":null,"category_ids":null}`)), "id"},
		"what is empty is shown":          {webhook(imported(`{"body":"","category_ids":[],"context_data":{},"attachments":{}}`)), "attachments body category_ids context_data id"},
		"an odd value shows nothing":      {webhook(imported(`{"body":["x"],"category_ids":[{"x":1}],"private":"perhaps","created_at":"soon"}`)), "id"},
		"a file with an odd size is one":  {webhook(imported(`{"attachments":[{"id":"1","size":"big"}]}`)), "attachments id"},
		"a row's name for private":        {webhook(imported(`{"private_message":true}`)), "id private"},
		"the status shows the direction":  {webhook(imported(`{"status":"new"}`)), "direction id status"},
		"either title":                    {webhook(imported(`{"title":"t"}`)), "id title"},
		"a Social resource":               {social(`{"id":"c1","public":true,"channelId":"s","bodyInputFormat":"Html","lastModifiedTime":"2026-03-01T11:00:00Z"}`), "body_format id private source_id updated_at"},
		"an older Social resource":        {social(`{"id":"c1","sourceId":"s","sourceType":"WhatsApp"}`), "id source_id source_type"},
		"a poor text, by its address":     {notice(instant("u", `{"id":"1"}`)), "extension_id id"},
		"an empty direction is not shown": {notice(instant("u", `{"id":"1","direction":""}`)), "extension_id id"},
		"an odd direction is not shown":   {notice(instant("u", `{"id":"1","direction":"x"}`)), "extension_id id"},
		"a conversation by its old name":  {notice(instant("u", `{"id":"1","conversationId":9}`)), "conversation_id extension_id id"},
		"what a sync shows of the gone":   {message(`{"id":"1","availability":"Deleted"}`), "availability id"},
		"and of the purged, with nothing": {message(`{"id":"1","availability":"Purged","lastModifiedTime":null}`), "availability id"},
	} {
		t.Run(fact, func(t *testing.T) {
			require.Equal(t, c.want, strings.Join(shownBy(t, c.arrival), " "))
		})
	}
}

func TestWhatFollowsFromElsewhereIsDerived(t *testing.T) {
	for fact, c := range map[string]struct {
		arrival schemas.Arrival
		want    string
	}{
		"the channel and the kind":       {webhook(imported(`{}`)), "source_type type"},
		"not what the metadata has":      {webhook(imported(`{"type":"t"}`)), "source_type"},
		"nor when it has both":           {webhook(imported(`{"type":"t","source_type":"s"}`)), ""},
		"a text that came in":            {notice(instant("u", `{"id":"1"}`)), "direction"},
		"a text that says that it did":   {notice(instant("u", `{"id":"1","direction":"Inbound"}`)), ""},
		"a Social resource has it all":   {socialNotice("u", "Imported", received, `"body":"x"`), ""},
		"an instant of an odd direction": {notice(instant("u", `{"id":"1","direction":"x"}`)), "direction"},
	} {
		t.Run(fact, func(t *testing.T) {
			read, err := publish.Read(c.arrival)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(slices.Sorted(maps.Keys(read.Derived)), " "))
			for field := range read.Derived {
				require.NotContains(t, read.Told, field)
			}
		})
	}
}

func TestARowShowsAllThatThereIs(t *testing.T) {
	for fact, a := range map[string]schemas.Arrival{
		"a content":                  row("content", `{"id":"c1"}`),
		"a Social content":           social("content", `{"id":"c1"}`),
		"a text":                     message(`{"id":"1","type":"SMS"}`),
		"a deleted text with a time": message(`{"id":"1","availability":"Deleted","lastModifiedTime":"2026-03-01T11:00:00Z"}`),
	} {
		read, err := publish.Read(a)
		require.NoError(t, err, fact)
		require.True(t, read.Complete, fact)
		require.Empty(t, read.Told, fact)
	}
}

func TestAStateHasTheTimeThatItShows(t *testing.T) {
	for fact, c := range map[string]struct {
		arrival schemas.Arrival
		want    string
	}{
		"a row":             {row("content", `{"id":"c1","created_at":"2026-03-01T10:00:00Z","updated_at":"2026-03-01 11:00:00"}`), "2026-03-01T11:00:00Z"},
		"a row without":     {row("content", `{"id":"c1","created_at":"2026-03-01T10:00:00Z"}`), ""},
		"a webhook":         {webhook(imported(`{}`)), ""},
		"a webhook with it": {webhook(imported(`{"updated_at":1772362800}`)), "2026-03-01T11:00:00Z"},
		"a Social row":      {social("content", `{"id":"c1","lastModifiedTime":"2026-03-01T11:00:00Z"}`), "2026-03-01T11:00:00Z"},
		"an identity":       {row("identity", `{"id":"i1","updated_at":"2026-03-01T11:00:00Z"}`), "2026-03-01T11:00:00Z"},
		"an odd one":        {row("identity", `{"id":"i1","updated_at":"soon"}`), ""},
		"a text":            {message(`{"id":"1","lastModifiedTime":"2026-03-01T11:00:00Z"}`), "2026-03-01T11:00:00Z"},
		"an instant text":   {notice(instant("u", `{"id":"1","lastModifiedTime":"2026-03-01T11:00:00Z"}`)), "2026-03-01T11:00:00Z"},
		"what is gone":      {message(`{"id":"1","availability":"Deleted"}`), ""},
	} {
		read, err := publish.Read(c.arrival)
		require.NoError(t, err, fact)
		if c.want == "" {
			require.Nil(t, read.Changed, fact)
			continue
		}
		require.Equal(t, at(t, c.want), *read.Changed, fact)
	}
}

func TestASingleReadIsARow(t *testing.T) {
	for api, body := range map[schemas.Api]string{schemas.ApiEngage: fullMetadata, schemas.ApiSocial: socialRow} {
		body := `{"id":"c1",` + strings.TrimPrefix(strings.TrimSpace(body), "{")
		content, complete, err := publish.ContentBody([]byte(body), api, received)
		require.NoError(t, err)
		require.True(t, complete)
		value, err := publish.NewState().Take(withAPI(row("content", body), api))
		require.NoError(t, err)
		require.Equal(t, value.(*schemas.ContentEvent).Content, content)
	}
	for _, body := range []string{``, `[]`, `{}`, `{"id":{}}`} {
		_, _, err := publish.ContentBody([]byte(body), schemas.ApiEngage, received)
		var parse *publish.ParseError
		require.ErrorAs(t, err, &parse)
	}
}
