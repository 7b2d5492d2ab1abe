package ringcentral_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// answering returns a platform whose every answer is body.
func answering(body string) *platform {
	return &platform{answer: func(w http.ResponseWriter, _ asked, _ int) { _, _ = io.WriteString(w, body) }}
}

func TestFiltersAreSpelledAsTheBasePathHasThem(t *testing.T) {
	q := ringcentral.SocialQuery{
		ThreadIDs: []string{"t1", "t2"}, ChannelIDs: []string{"s1"}, InterventionIDs: []string{"i1"}, AuthorIDs: []string{"a1"},
		AuthorGroupIDs: []string{"g1"}, Status: []string{"UserReply"}, Direction: ringcentral.Outgoing, Text: []string{"x"},
		OrderBy: ringcentral.NewestModified, PageToken: "tok", PerPage: 5000,
	}
	common := url.Values{"text": {"x"}, "status": {"UserReply"}, "orderBy": {"-lastModifiedTime"}, "pageToken": {"tok"}, "perPage": {"1000"}}
	for path, names := range map[string]url.Values{
		ringcentral.SocialMessaging: {
			"threadIds": {"t1", "t2"}, "channelIds": {"s1"}, "interventionIds": {"i1"}, "authorIdentityIds": {"a1"},
			"authorIdentityGroupIds": {"g1"}, "contentDirection": {"Outgoing"},
		},
		ringcentral.AdvancedMessaging: {
			"thread": {"t1", "t2"}, "source": {"s1"}, "intervention": {"i1"}, "identity": {"a1"}, "identityGroup": {"g1"},
		},
	} {
		t.Run(path, func(t *testing.T) {
			p := answering(`{"records":[],"paging":{"perPage":1000}}`)
			page, err := p.client(t, at(path)).Contents(t.Context(), q)
			require.NoError(t, err)
			require.NotNil(t, page.Records)
			require.Equal(t, path+"/contents", p.last().path)
			maps.Copy(names, common)
			require.Equal(t, names, p.last().query)
		})
	}
}

func TestADirectionWithoutAFilterBecomesItsStatuses(t *testing.T) {
	p := answering(`{"records":[]}`)
	c := p.client(t, at(ringcentral.AdvancedMessaging))
	_, err := c.Contents(t.Context(), ringcentral.SocialQuery{Direction: ringcentral.Incoming})
	require.NoError(t, err)
	require.Equal(t, url.Values{"status": {"New", "Assigned", "Replied", "Ignored"}}, p.last().query)
	_, err = c.Contents(t.Context(), ringcentral.SocialQuery{Direction: ringcentral.Incoming, Status: []string{"UserReply"}})
	require.ErrorIs(t, err, ringcentral.ErrInvalid)
}

func TestThePlusOfAnOrderIsNotASpace(t *testing.T) {
	var raw string
	p := &platform{}
	transport := tripper(func(r *http.Request) (*http.Response, error) { raw = r.URL.RawQuery; return p.RoundTrip(r) })
	c := p.client(t, func(_ *ringcentral.PlatformConfig, d *ringcentral.Deps) { d.HTTP = &http.Client{Transport: transport} })
	_, err := c.Contents(t.Context(), ringcentral.SocialQuery{OrderBy: ringcentral.OldestModified})
	require.NoError(t, err)
	require.Equal(t, "orderBy=%2BlastModifiedTime", raw)
}

func TestAnEmptyFilterIsRefused(t *testing.T) {
	var p platform
	c := p.client(t)
	for fact, q := range map[string]ringcentral.SocialQuery{
		"thread":    {ThreadIDs: []string{""}},
		"channel":   {ChannelIDs: []string{"s", ""}},
		"author":    {AuthorIDs: []string{""}},
		"group":     {AuthorGroupIDs: []string{""}},
		"status":    {Status: []string{""}},
		"direction": {Direction: "Outbound"},
		"order":     {OrderBy: "-modified"},
	} {
		_, err := c.Contents(t.Context(), q)
		require.ErrorIs(t, err, ringcentral.ErrInvalid, fact)
	}
	_, err := c.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{Type: "agent"})
	require.ErrorIs(t, err, ringcentral.ErrInvalid)
	require.Empty(t, p.calls)
}

func TestAFilterThatTheAPIIgnoredIsNoticed(t *testing.T) {
	row := func(fields string) string {
		return `{"records":[{"id":"a","threadId":"t1"},{"id":"b",` + fields + `}]}`
	}
	for fact, c := range map[string]struct {
		q      ringcentral.SocialQuery
		answer string
		want   string // "" = it was heeded
	}{
		"the thread is the one":        {ringcentral.SocialQuery{ThreadIDs: []string{"t1"}}, row(`"threadId":"t1"`), ""},
		"another thread":               {ringcentral.SocialQuery{ThreadIDs: []string{"t1"}}, row(`"threadId":"t2"`), "threadIds"},
		"another channel":              {ringcentral.SocialQuery{ChannelIDs: []string{"s"}}, row(`"channelId":"z"`), "channelIds"},
		"another channel, old name":    {ringcentral.SocialQuery{ChannelIDs: []string{"s"}}, row(`"sourceId":"z"`), "channelIds"},
		"another author":               {ringcentral.SocialQuery{AuthorIDs: []string{"s"}}, row(`"authorIdentityId":"z"`), "authorIdentityIds"},
		"another intervention":         {ringcentral.SocialQuery{InterventionIDs: []string{"s"}}, row(`"interventionId":"z"`), "interventionIds"},
		"another status":               {ringcentral.SocialQuery{Status: []string{"New"}}, row(`"status":"Replied"`), "status"},
		"a status in another case":     {ringcentral.SocialQuery{Status: []string{"UserReply"}}, row(`"status":"userReply"`), ""},
		"another direction":            {ringcentral.SocialQuery{Direction: "Outgoing"}, row(`"contentDirection":"Incoming"`), "contentDirection"},
		"a direction told by status":   {ringcentral.SocialQuery{Direction: "Outgoing"}, row(`"status":"New"`), "contentDirection"},
		"rows that can't tell":         {ringcentral.SocialQuery{ChannelIDs: []string{"s"}}, row(`"x":1`), ""},
		"newest first":                 {ringcentral.SocialQuery{OrderBy: "-lastModifiedTime"}, ordered("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), ""},
		"newest first, but it is not":  {ringcentral.SocialQuery{OrderBy: "-lastModifiedTime"}, ordered("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), "orderBy"},
		"oldest first, but it is not":  {ringcentral.SocialQuery{OrderBy: "+lastModifiedTime"}, ordered("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "orderBy"},
		"equal times are in any order": {ringcentral.SocialQuery{OrderBy: "+lastModifiedTime"}, ordered("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"), ""},
	} {
		t.Run(fact, func(t *testing.T) {
			page, err := answering(c.answer).client(t).Contents(t.Context(), c.q)
			if c.want == "" {
				require.NoError(t, err)
				require.Len(t, page.Records, 2)
				return
			}
			require.ErrorIs(t, err, ringcentral.ErrFilterIgnored)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, http.StatusOK, failure(t, err).Status)
		})
	}
}

func ordered(times ...string) string {
	rows := make([]string, len(times))
	for i, at := range times {
		rows[i] = `{"id":"x","creationTime":"2020-01-01T00:00:00Z","lastModifiedTime":"` + at + `"}`
	}
	return `{"records":[` + strings.Join(rows, ",") + `]}`
}

func TestPagesAreWalkedByToken(t *testing.T) {
	p := &platform{answer: func(w http.ResponseWriter, a asked, _ int) {
		switch a.query.Get("pageToken") {
		case "":
			_, _ = io.WriteString(w, `{"records":[{"id":"1","n":1.50}],"paging":{"perPage":100,"nextPageToken":"two"}}`)
		case "two":
			_, _ = io.WriteString(w, `{"records":[{"id":"2"}],"paging":{"perPage":100,"pageToken":"two","nextPageToken":"","previousPageToken":"one"}}`)
		default:
			_, _ = io.WriteString(w, `{"records":[{"id":"3"}],"paging":{"nextPageToken":"same"}}`)
		}
	}}
	c := p.client(t)
	first, err := c.Contents(t.Context(), ringcentral.SocialQuery{})
	require.NoError(t, err)
	require.Equal(t, ringcentral.SocialPage{Records: []json.RawMessage{json.RawMessage(`{"id":"1","n":1.50}`)}, Next: "two", PerPage: 100}, first)
	last, err := c.Contents(t.Context(), ringcentral.SocialQuery{PageToken: first.Next})
	require.NoError(t, err)
	require.Empty(t, last.Next)
	require.Equal(t, "one", last.Previous)
	again, err := c.Contents(t.Context(), ringcentral.SocialQuery{PageToken: "same"})
	require.NoError(t, err)
	require.Len(t, again.Records, 1, "a token that leads nowhere costs no rows")
	require.Equal(t, "same", again.Next)
}

func TestSocialIdentitiesAreListedAndRead(t *testing.T) {
	p := answering(`{"id":"i1","records":[{"id":"i1","identityType":"Customer","userIds":["7"],"uuid":"u"}]}`)
	c := p.client(t)
	_, err := c.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{
		ChannelID: "s", GroupIDs: []string{"g"}, Type: "Customer", UserID: "7", UUID: "u", OrderBy: ringcentral.NewestModified, PerPage: 10,
	})
	require.NoError(t, err)
	require.Equal(t, "/cx/social-messaging/v1/identities", p.last().path)
	require.Equal(t, url.Values{
		"channelId": {"s"}, "identityGroupIds": {"g"}, "identityType": {"Customer"}, "userId": {"7"}, "uuid": {"u"},
		"orderBy": {"-lastModifiedTime"}, "perPage": {"10"},
	}, p.last().query)
	for _, q := range []ringcentral.SocialIdentitiesQuery{{Type: "Agent"}, {UserID: "8"}, {UUID: "v"}} {
		_, err = c.Identities(t.Context(), q)
		require.ErrorIs(t, err, ringcentral.ErrFilterIgnored)
	}
	raw, err := c.Identity(t.Context(), "i/1")
	require.NoError(t, err)
	require.Equal(t, "i1", ringcentral.ID(raw))
	require.Equal(t, "/cx/social-messaging/v1/identities/i%2F1", p.last().path)

	p = answering(`{"records":[]}`)
	_, err = p.client(t, at(ringcentral.AdvancedMessaging)).Identities(t.Context(), ringcentral.SocialIdentitiesQuery{ChannelID: "s"})
	require.NoError(t, err)
	require.Equal(t, url.Values{"sourceId": {"s"}}, p.last().query)
}

func TestCreateContentSpeaksTheWordsOfItsGeneration(t *testing.T) {
	parent, channel, author, title, template, language, yes := "p", "s", "a", "T", "welcome", "fr", true
	full := ringcentral.CreateContent{
		Body: "hello", BodyFormat: "TEXT", InReplyToID: &parent, SourceID: &channel, AuthorID: &author, Title: &title, Private: &yes,
		To: []string{"+1555"}, Cc: []string{"c"}, Bcc: []string{"b"}, AttachmentIDs: []string{"f"}, TemplateName: &template,
		TemplateLanguage: &language, AutoSubmitted: &yes, Components: json.RawMessage(`[{"type":"body"}]`),
		ContextData: map[string]string{"n": "1.50", "s": `"x"`, "plain": "no json"},
	}
	for path, name := range map[string]string{ringcentral.SocialMessaging: "channelId", ringcentral.AdvancedMessaging: "sourceId"} {
		p := answering(`{"id":"c1"}`)
		raw, err := p.client(t, at(path)).CreateContent(t.Context(), full)
		require.NoError(t, err)
		require.Equal(t, "c1", ringcentral.ID(raw))
		last := p.last()
		require.Equal(t, path+"/contents", last.path)
		require.Equal(t, http.MethodPost, last.method)
		require.Equal(t, "application/json", last.header.Get("Content-Type"))
		require.JSONEq(t, `{"body":"hello","inReplyToContentId":"p","`+name+`":"s","authorIdentityId":"a","title":"T","public":false,"to":["+1555"],
			"cc":["c"],"bcc":["b"],"attachmentIds":["f"],"templateName":"welcome","templateLanguage":"fr","autoSubmitted":true,
			"components":[{"type":"body"}],"contextData":{"n":1.50,"s":"x","plain":"no json"}}`, last.body)
		require.Contains(t, last.body, "1.50", "a number stays as it was written")
	}
	p := answering(`{"id":"c1"}`)
	_, err := p.client(t).CreateContent(t.Context(), reply())
	require.NoError(t, err)
	require.JSONEq(t, `{"body":"hello","inReplyToContentId":"p1"}`, p.last().body)
}

func TestWhatTheAPICannotExpressIsRefused(t *testing.T) {
	var p platform
	c := p.client(t)
	for fact, content := range map[string]ringcentral.CreateContent{
		"a structure":           {StructuredContent: json.RawMessage(`{"type":"select"}`)},
		"HTML":                  {Body: "<b>x</b>", BodyFormat: "HTML"},
		"components of no JSON": {Components: json.RawMessage(`{secret`)},
	} {
		_, err := c.CreateContent(t.Context(), content)
		require.ErrorIs(t, err, ringcentral.ErrInvalid, fact)
		require.NotContains(t, err.Error(), "secret")
	}
	require.Empty(t, p.calls)
}

func TestContentsThatAreOffAreNotAskedFor(t *testing.T) {
	var p platform
	c := p.client(t, at(ringcentral.ContentsOff))
	for _, err := range []error{
		second(c.Contents(t.Context(), ringcentral.SocialQuery{})), second(c.Content(t.Context(), "1")), second(c.CreateContent(t.Context(), reply())),
		second(c.Identity(t.Context(), "1")), second(c.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{})),
	} {
		require.ErrorIs(t, err, ringcentral.ErrInvalid)
		require.ErrorContains(t, err, "RINGCENTRAL_CONTENTS_PATH")
	}
	require.Empty(t, p.auths)
}

func TestEveryChannelHasItsLimit(t *testing.T) {
	for channel, limit := range map[string]int{
		"AppleMessagesForBusiness": 10000, "apple_business_chat": 10000, "Email": 262144, "EngageMessaging": 1024, "Facebook": 8000,
		"GoogleMyBusiness": 4000, "Instagram": 950, "InstagramMessaging": 1000, "Linkedin": 3000, "Messenger": 2000, "Twitter": 280, "Viber": 7000,
		"WhatsApp": 3800, "whats_app": 3800, "whats_app/message": 3800, "Youtube": 8000,
	} {
		got, known := ringcentral.BodyLimit(channel)
		require.True(t, known, channel)
		require.Equal(t, limit, got, channel)
		require.False(t, ringcentral.BodyTooLong(channel, strings.Repeat("é", limit)), channel)
		require.True(t, ringcentral.BodyTooLong(channel, strings.Repeat("e", limit+1)), channel)
	}
	require.False(t, ringcentral.BodyTooLong("pigeon", strings.Repeat("e", 1<<20)))
}
