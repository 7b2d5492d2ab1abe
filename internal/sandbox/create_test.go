package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestReply(t *testing.T) {
	a := start(t, sandbox.Config{ExportDelay: -1})
	parent := a.incoming(sandbox.Import{Body: "question"})
	got := a.reply(parent, "answer & more").content()

	require.Equal(t, sandbox.StatusUserReply, got.Status)
	require.Equal(t, sandbox.CreatedFromAPI, got.CreatedFrom)
	require.Equal(t, sandbox.Optional(a.UserID()), got.CreatorID)
	require.Equal(t, sandbox.Optional(parent.ID), got.InReplyToID)
	require.Equal(t, sandbox.Optional(parent.AuthorID), got.InReplyToAuthorID)
	require.Equal(t, parent.ThreadID, got.ThreadID)
	require.Equal(t, parent.SourceID, got.SourceID)
	require.Equal(t, sandbox.ExportPending, got.SynchronizationStatus)
	require.Empty(t, got.ForeignID, "not known to the source yet")
	require.Equal(t, "<p>answer &amp; more</p>", got.BodyFormatted.HTML)
	require.NotEqual(t, parent.AuthorID, got.AuthorID)

	parent, _ = a.Content(parent.ID)
	require.Equal(t, sandbox.StatusReplied, parent.Status)
	call := a.Calls()[0]
	require.Equal(t, got.ID, call.ContentID)
	require.Equal(t, parent.ThreadID, call.ThreadID)
	require.Equal(t, "answer & more", call.Body)
}

func TestReplyTwiceWritesTwice(t *testing.T) {
	a := start(t, sandbox.Config{})
	parent := a.incoming(sandbox.Import{})
	first, second := a.reply(parent, "same").content(), a.reply(parent, "same").content()
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, 2, a.outbound())
}

func TestParametersInQueryFormOrJSON(t *testing.T) {
	for name, send := range map[string]func(a *api, parent string) answer{
		"query": func(a *api, parent string) answer {
			return a.post("/1.0/contents?body=hi&private=1&in_reply_to_id=" + parent)
		},
		"form": func(a *api, parent string) answer {
			return a.post("/1.0/contents", "body", "hi", "private", "true", "in_reply_to_id", parent)
		},
		"json": func(a *api, parent string) answer {
			return a.postJSON("/1.0/contents", `{"body":"hi","private":true,"title":null,"in_reply_to_id":"`+parent+`"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, sandbox.Config{})
			got := send(a, a.incoming(sandbox.Import{}).ID).content()
			require.Equal(t, sandbox.Optional("hi"), got.Body)
			require.True(t, got.PrivateMessage)
		})
	}
}

func TestRefusedContents(t *testing.T) {
	a := start(t, sandbox.Config{Sources: []sandbox.Source{
		{ID: "wa", Type: "whats_app", ContentType: "message"},
		{ID: "mail", Type: "email", ContentType: "email"},
		{ID: "chat", Type: "engage_messaging", ContentType: "message"},
		{ID: "page", Type: "facebook", ContentType: "comment", ReplyOnly: true},
	}})
	parent := a.incoming(sandbox.Import{}).ID
	closed := a.incoming(sandbox.Import{})
	require.NoError(t, a.CloseThread(closed.ThreadID))
	unsent := a.incoming(sandbox.Import{})
	require.NoError(t, a.Export(unsent.ID, sandbox.ExportFailure, "no such number"))

	tests := map[string]struct {
		form   url.Values
		status int
		code   string
	}{
		"a reply without body":             {form("in_reply_to_id", parent), 422, "validation_error"},
		"a blank body":                     {form("in_reply_to_id", parent, "body", " \n"), 422, "validation_error"},
		"neither parent nor source":        {form("body", "x"), 422, "validation_error"},
		"an unknown parent":                {form("in_reply_to_id", "none", "body", "x"), 404, "not_found"},
		"an unknown source":                {form("source_id", "none", "body", "x"), 404, "not_found"},
		"a closed thread":                  {form("in_reply_to_id", closed.ID, "body", "x"), 403, "cant_reply_to_closed_thread"},
		"a parent not synchronised":        {form("in_reply_to_id", unsent.ID, "body", "x"), 422, "validation_error"},
		"a recipient on a reply":           {form("in_reply_to_id", parent, "body", "x", "to", "+33"), 422, "validation_error"},
		"an unknown author":                {form("in_reply_to_id", parent, "body", "x", "author_id", "n"), 422, "validation_error"},
		"an unknown attachment":            {form("in_reply_to_id", parent, "body", "x", "attachment_ids[]", "n"), 422, "validation_error"},
		"an unknown format":                {form("in_reply_to_id", parent, "body", "x", "body_format", "md"), 422, "validation_error"},
		"private that is no boolean":       {form("in_reply_to_id", parent, "body", "x", "private", "maybe"), 422, "validation_error"},
		"a phone number without plus":      {form("source_id", "wa", "body", "x", "to", "336"), 422, "validation_error"},
		"a mail without recipient":         {form("source_id", "mail", "body", "x", "title", "t"), 422, "validation_error"},
		"a mail without title":             {form("source_id", "mail", "body", "x", "to[]", "a@b.c"), 422, "validation_error"},
		"a chat without recipient":         {form("source_id", "chat", "body", "x"), 422, "validation_error"},
		"a source which cannot initiate":   {form("source_id", "page", "body", "x"), 422, "validation_error"},
		"structured content in a form":     {form("in_reply_to_id", parent, "structured_content", "{}"), 422, "validation_error"},
		"a foreign user beside all is 400": {form("in_reply_to_id", parent, "impersonated_user_id", "u"), 400, "bad_request"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := a.outbound()
			got, err := a.do(http.MethodPost, base+"/1.0/contents", "application/x-www-form-urlencoded", test.form.Encode())
			require.NoError(t, err)
			require.Equal(t, test.status, got.status, string(got.body))
			require.Contains(t, string(got.body), `"error":"`+test.code+`"`)
			require.Equal(t, before, a.outbound(), "nothing is written")
		})
	}
	t.Run("broken JSON", func(t *testing.T) {
		require.Equal(t, 400, a.postJSON("/1.0/contents", `{"body":`).status)
	})
}

func TestClosedThreadAnswersAsRecorded(t *testing.T) {
	a := start(t, sandbox.Config{})
	parent := a.incoming(sandbox.Import{})
	require.NoError(t, a.CloseThread(parent.ThreadID))
	got := a.reply(parent, "too late")
	require.Equal(t, http.StatusForbidden, got.status)
	require.JSONEq(t, sample("ed_error_cant_reply_to_closed_thread"), string(got.body))

	require.NoError(t, a.OpenThread(parent.ThreadID))
	require.Equal(t, 200, a.reply(parent, "in time").status)
}

func TestStructuredContentNeedsNoBody(t *testing.T) {
	a := start(t, sandbox.Config{})
	parent := a.incoming(sandbox.Import{})
	got := a.postJSON("/1.0/contents", `{"in_reply_to_id":"`+parent.ID+`","structured_content":{"type":"select","title":"Which?"}}`)
	require.Equal(t, map[string]any{"type": "select", "title": "Which?"}, got.content().StructuredContent)
}

func TestInitiate(t *testing.T) {
	a := start(t, sandbox.Config{Sources: []sandbox.Source{{ID: "mail", Type: "email", ContentType: "email"}}})
	got := a.post("/1.0/contents", "source_id", "mail", "title", "Your order", "body", "It is late", "to[]", "a@b.c").content()
	require.Equal(t, sandbox.StatusUserInitiated, got.Status)
	require.Empty(t, got.InReplyToID)
	require.True(t, got.FirstInThread)
	require.Equal(t, "Your order", got.Title)
}

func TestInterventionMayBeRequired(t *testing.T) {
	a := start(t, sandbox.Config{RequireIntervention: true})
	parent := a.incoming(sandbox.Import{})
	require.Equal(t, 422, a.reply(parent, "x").status)
	require.Equal(t, 200, a.post("/1.0/interventions", "content_id", parent.ID).status)
	require.Equal(t, 422, a.post("/1.0/interventions", "content_id", parent.ID).status, "it is open already")
	require.NotEmpty(t, a.reply(parent, "x").content().InterventionID)
}

func TestExportComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, sandbox.Config{ExportDelay: 2 * time.Second})
		made := a.reply(a.incoming(sandbox.Import{}), "answer").content()
		time.Sleep(1999 * time.Millisecond)
		now := a.get("/1.0/contents/" + made.ID).content()
		require.Equal(t, sandbox.ExportPending, now.SynchronizationStatus)

		time.Sleep(time.Millisecond)
		synctest.Wait()
		now = a.get("/1.0/contents/" + made.ID).content()
		require.Equal(t, sandbox.ExportSuccess, now.SynchronizationStatus)
		require.NotEmpty(t, now.ForeignID)
		require.True(t, now.UpdatedAt.After(made.UpdatedAt))
	})
}
