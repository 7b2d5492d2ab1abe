package ringcentral_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// seen is a request as the API got it.
type seen struct {
	method, path, contentType, auth, agent string
	query, form                            url.Values
	body                                   []byte
}

// recorder answers answer to everything and keeps the last request.
func recorder(t *testing.T, answer string) (*ringcentral.Engage, *seen) {
	t.Helper()
	last := &seen{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*last = seen{
			method: r.Method, path: r.URL.EscapedPath(), contentType: r.Header.Get("Content-Type"), auth: r.Header.Get("Authorization"),
			agent: r.UserAgent(), query: r.URL.Query(), body: body,
		}
		last.form, _ = url.ParseQuery(string(body))
		_, _ = io.WriteString(w, answer)
	})
	return engage(t, s.URL, ringcentral.Deps{UserAgent: "ringbridge/9"}), last
}

func TestContentsAsksInTheDocumentedWords(t *testing.T) {
	e, last := recorder(t, `{"count":4320,"offset":90,"limit":30,"records":[{"id":"a"},{"id":"b"}],"new_field":1}`)
	for fact, c := range map[string]struct {
		q    ringcentral.ContentsQuery
		want url.Values
	}{
		"nothing asked, nothing said": {ringcentral.ContentsQuery{}, url.Values{}},
		"order is a keyword of q":     {ringcentral.ContentsQuery{Order: ringcentral.OrderAsc}, url.Values{"q": {"order:created_at.asc"}}},
		"order follows the search": {
			ringcentral.ContentsQuery{Q: ringcentral.Keyword("thread", `T"1\`), Order: ringcentral.OrderDesc, Offset: 90, Limit: ringcentral.MaxPage},
			url.Values{"q": {`thread:"T1" order:created_at.desc`}, "offset": {"90"}, "limit": {"150"}},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			page, err := e.Contents(t.Context(), c.q)
			require.NoError(t, err)
			require.Equal(t, c.want, last.query)
			require.Equal(t, "/1.0/contents", last.path)
			require.Equal(t, http.MethodGet, last.method)
			require.Equal(t, "Bearer "+token, last.auth)
			require.Equal(t, "ringbridge/9", last.agent)
			require.Equal(t, ringcentral.Page{
				Count: 4320, Offset: 90, Limit: 30,
				Records: []json.RawMessage{json.RawMessage(`{"id":"a"}`), json.RawMessage(`{"id":"b"}`)},
			}, page)
		})
	}
}

func TestIdentitiesAsksInTheDocumentedWords(t *testing.T) {
	e, last := recorder(t, `{"count":0,"offset":0,"limit":30,"records":[]}`)
	page, err := e.Identities(t.Context(), ringcentral.IdentitiesQuery{Sort: "updated_at", Offset: 30, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, url.Values{"sort": {"updated_at"}, "offset": {"30"}, "limit": {"10"}}, last.query)
	require.Equal(t, "/1.0/identities", last.path)
	require.NotNil(t, page.Records)
}

func TestAResourceIsReturnedAsReceived(t *testing.T) {
	const answer = `{ "id": "i1", "unknown": [1.50] }`
	e, last := recorder(t, answer)
	got, err := e.Identity(t.Context(), "i1")
	require.NoError(t, err)
	require.Equal(t, answer, string(got))
	require.Equal(t, "/1.0/identities/i1", last.path)

	_, err = e.Content(t.Context(), "a/../b?c")
	require.NoError(t, err)
	require.Equal(t, "/1.0/contents/a%2F..%2Fb%3Fc", last.path)
}

func TestAnIDThatNamesNoResourceIsNotAskedFor(t *testing.T) {
	e, last := recorder(t, `{}`)
	for _, id := range []string{"", ".", ".."} {
		_, err := e.Content(t.Context(), id)
		require.ErrorIs(t, err, ringcentral.ErrInvalid)
		require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		require.Empty(t, last.method)
	}
}

func TestCreateContentSendsAForm(t *testing.T) {
	e, last := recorder(t, `{"id":"c1"}`)
	parent, source, title, author, template, language, yes, no := "p1", "s1", "Subject", "a1", "welcome", "fr", true, false
	for fact, c := range map[string]struct {
		content ringcentral.CreateContent
		want    url.Values
	}{
		"a reply is body and parent": {reply(), url.Values{"body": {"hello"}, "in_reply_to_id": {"p1"}}},
		"text is the default format": {ringcentral.CreateContent{Body: "b", BodyFormat: "TEXT"}, url.Values{"body": {"b"}}},
		"a phone number is the string to": {
			ringcentral.CreateContent{Body: "b", To: []string{"+33611"}}, url.Values{"body": {"b"}, "to": {"+33611"}},
		},
		"one e-mail address is a list": {
			ringcentral.CreateContent{Body: "b", To: []string{"a@b.example"}}, url.Values{"body": {"b"}, "to[]": {"a@b.example"}},
		},
		"several of anything are a list": {
			ringcentral.CreateContent{Body: "b", To: []string{"+1", "+2"}}, url.Values{"body": {"b"}, "to[]": {"+1", "+2"}},
		},
		"everything has its name": {
			ringcentral.CreateContent{
				Body: "é & <b>", BodyFormat: "HTML", InReplyToID: &parent, SourceID: &source, Title: &title, AuthorID: &author, Private: &no,
				TemplateName: &template, TemplateLanguage: &language, AutoSubmitted: &yes, Cc: []string{"c@b.example"},
				Bcc: []string{"d@b.example"}, AttachmentIDs: []string{"f1", "f2"}, ContextData: map[string]string{"k": "v"},
			},
			url.Values{
				"body": {"é & <b>"}, "body_format": {"html"}, "in_reply_to_id": {"p1"}, "source_id": {"s1"}, "title": {"Subject"},
				"author_id": {"a1"}, "private": {"false"}, "template_name": {"welcome"}, "template_language": {"fr"},
				"auto_submitted": {"true"}, "cc[]": {"c@b.example"}, "bcc[]": {"d@b.example"}, "attachment_ids[]": {"f1", "f2"},
			},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			created, err := e.CreateContent(t.Context(), c.content)
			require.NoError(t, err)
			require.JSONEq(t, `{"id":"c1"}`, string(created))
			require.Equal(t, c.want, last.form)
			require.Empty(t, last.query, "the text would stand in every log on the way")
			require.Equal(t, http.MethodPost, last.method)
			require.Equal(t, "application/x-www-form-urlencoded", last.contentType)
		})
	}
}

func TestStructuredContentIsSentAsJSON(t *testing.T) {
	e, last := recorder(t, `{"id":"c1"}`)
	parent, yes := "p1", true
	_, err := e.CreateContent(t.Context(), ringcentral.CreateContent{
		InReplyToID: &parent, Private: &yes, To: []string{"u1"}, AttachmentIDs: []string{"f1"}, StructuredContent: json.RawMessage(`{"type":"select"}`),
	})
	require.NoError(t, err)
	require.Equal(t, "application/json", last.contentType)
	require.JSONEq(t, `{"in_reply_to_id":"p1","private":true,"to":"u1","attachment_ids":["f1"],"structured_content":{"type":"select"}}`, string(last.body))

	_, err = e.CreateContent(t.Context(), ringcentral.CreateContent{Body: "b", StructuredContent: json.RawMessage(` null `)})
	require.NoError(t, err)
	require.Equal(t, url.Values{"body": {"b"}}, last.form)

	*last = seen{}
	_, err = e.CreateContent(t.Context(), ringcentral.CreateContent{StructuredContent: json.RawMessage(`{secret words`)})
	require.ErrorIs(t, err, ringcentral.ErrInvalid)
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
	require.NotContains(t, err.Error(), "secret words")
	require.Empty(t, last.method)
}

func TestHandoverGoesInTheQuery(t *testing.T) {
	e, last := recorder(t, `{"status":200,"message":"Success"}`)
	require.NoError(t, e.Handover(t.Context(), ringcentral.Handover{
		From: "BOT", To: "AGENT", Type: "messenger", IdentityForeignID: "42", ThreadCategoryIDs: []string{"x", "y"}, Trigger: "rule",
	}))
	require.Equal(t, "/1.0/bots/handover", last.path)
	require.Equal(t, http.MethodPost, last.method)
	require.Empty(t, last.body)
	require.Equal(t, url.Values{
		"from": {"bot"}, "to": {"agent"}, "type": {"messenger"}, "identity_foreign_id": {"42"}, "thread_category_ids[]": {"x", "y"}, "trigger": {"rule"},
	}, last.query)
}
