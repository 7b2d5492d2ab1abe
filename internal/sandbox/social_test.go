package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const advancedPath = "/engage/advanced-messaging/v1/contents"

// socialPage is a page of either list.
type socialPage struct {
	Records []struct {
		ID          string
		Body        string
		DisplayName string
		SourceID    string
		ChannelID   string
	}
	Paging struct {
		PerPage       int
		PageToken     string
		NextPageToken *string
	}
}

func (p *platform) page(path string) socialPage {
	p.t.Helper()
	return decode[socialPage](p.call(http.MethodGet, path, ""))
}

// bodies lists contents under the path.
func (p *platform) bodies(path string) []string {
	p.t.Helper()
	var out []string
	for _, c := range p.page(path).Records {
		out = append(out, c.Body)
	}
	return out
}

func (p *platform) create(path, body string) answer {
	p.t.Helper()
	return p.call(http.MethodPost, path, body)
}

func TestKeysetPagesDoNotShift(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	for n := range 5 {
		p.importContent(sandbox.SocialImport{Body: fmt.Sprint(n)})
		if n%2 == 1 {
			c.move(time.Second) // so that some are of one second
		}
	}
	first := p.page(contentsPath + "?perPage=2")
	require.Equal(t, []string{"4", "3"}, []string{first.Records[0].Body, first.Records[1].Body}, "newest first")
	p.importContent(sandbox.SocialImport{Body: "new"})
	second := p.page(contentsPath + query("perPage", "2", "pageToken", *first.Paging.NextPageToken))
	require.Equal(t, []string{"2", "1"}, []string{second.Records[0].Body, second.Records[1].Body}, "a new row shifts nothing")
	require.Equal(t, *first.Paging.NextPageToken, second.Paging.PageToken)
	third := p.page(contentsPath + query("perPage", "2", "pageToken", *second.Paging.NextPageToken))
	require.Len(t, third.Records, 1)
	require.Nil(t, third.Paging.NextPageToken, "absent on the last page")
}

func TestPageTokenIsAPlaceInTheOrder(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	p.importContent(sandbox.SocialImport{Count: 2})
	raw, err := base64.StdEncoding.DecodeString(*p.page(contentsPath + "?perPage=1").Paging.NextPageToken)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(raw), fmt.Sprintf(`{"value":%d,"fie`, c.at.Unix())), string(raw))
	require.Equal(t, 400, p.call(http.MethodGet, contentsPath+"?pageToken=odd", "").status)
}

func TestSocialPageSizes(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{OldNames: true}, sandbox.Deps{})
	_, err := p.ImportContents(sandbox.SocialImport{Count: 1001})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		path string
		want int
	}{
		"a hundred by default":            {contentsPath, 100},
		"thirty of Advanced Messaging":    {advancedPath, 30},
		"a senseless size is the default": {contentsPath + "?perPage=x", 100},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.page(test.path)
			require.Len(t, got.Records, test.want)
			require.Equal(t, test.want, got.Paging.PerPage)
		})
	}
	most := p.page(contentsPath + "?perPage=5000")
	require.Len(t, most.Records, 1000, "a thousand at most")
	last := p.page(contentsPath + query("pageToken", *most.Paging.NextPageToken))
	require.Empty(t, *last.Paging.NextPageToken, "in the former spelling it is empty")
}

func TestOrderBy(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	first := p.importContent(sandbox.SocialImport{Body: "first"})
	c.move(time.Second)
	p.importContent(sandbox.SocialImport{Body: "second"})
	c.move(time.Second)
	p.importContent(sandbox.SocialImport{Body: "late", CreatedAt: c.at.Add(-time.Hour)})
	c.move(time.Second)
	edited, err := p.EditContent(first.ID, sandbox.SocialEdit{Status: sandbox.SocialIgnored})
	require.NoError(t, err)
	require.Equal(t, c.at.Truncate(time.Second), edited.LastModifiedTime)
	for name, test := range map[string]struct{ order, want string }{
		"newest first by default":    {"", "second first late"},
		"descending":                 {"-creationTime", "second first late"},
		"ascending":                  {"+creationTime", "late first second"},
		"ascending without a sign":   {"creationTime", "late first second"},
		"by modification":            {"-lastModifiedTime", "first late second"},
		"by modification, ascending": {"+lastModifiedTime", "second late first"},
		"an unknown one is ignored":  {"id", "second first late"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, strings.Join(p.bodies(contentsPath+query("orderBy", test.order)), " "))
		})
	}
	require.Equal(t, "late first second", strings.Join(p.bodies(contentsPath+"?orderBy=+creationTime"), " "),
		"a plus that was not escaped is a space")
}

func TestSocialFilters(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	one := p.importContent(sandbox.SocialImport{Body: "one red"})
	other := p.importContent(sandbox.SocialImport{Body: "other", ChannelID: "another", ChannelType: "Email"})
	p.create(contentsPath, `{"inReplyToContentId":"`+one.ID+`","body":"answer"}`)
	for name, test := range map[string]struct {
		path string
		want string
	}{
		"by thread":                          {contentsPath + query("threadIds", one.ThreadID), "answer,one red"},
		"by channel":                         {contentsPath + query("channelIds", "another"), "other"},
		"by author":                          {contentsPath + query("authorIdentityIds", one.AuthorIdentityID), "one red"},
		"by direction":                       {contentsPath + query("contentDirection", "Outgoing"), "answer"},
		"by status, repeated":                {contentsPath + query("status", "New", "status", "UserReply"), "answer,other"},
		"by text":                            {contentsPath + query("text", "RED", "text", "one"), "one red"},
		"all at once":                        {contentsPath + query("threadIds", one.ThreadID, "status", "UserReply"), "answer"},
		"a wrong name gives everything":      {contentsPath + query("thread", one.ThreadID), "answer,one red,other"},
		"a former name gives everything":     {contentsPath + query("source", "another"), "answer,one red,other"},
		"an empty one gives everything":      {contentsPath + query("threadIds", ""), "answer,one red,other"},
		"by the former name, where it is so": {advancedPath + query("source", other.ChannelID), "other"},
		"by the present name, it is not":     {advancedPath + query("channelIds", "another"), "answer,one red,other"},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.bodies(test.path)
			slices.Sort(got)
			require.Equal(t, test.want, strings.Join(got, ","))
		})
	}
}

func TestSpellings(t *testing.T) {
	for name, test := range map[string]struct {
		cfg        sandbox.PlatformConfig
		path       string
		has, hasnt []string
	}{
		"present":                             {sandbox.PlatformConfig{}, contentsPath, []string{"channelId", "channelUri", "contentDirection", "bodyFormatted.text"}, []string{"sourceId"}},
		"former":                              {sandbox.PlatformConfig{OldNames: true}, contentsPath, []string{"sourceId", "sourceType", "sourceUri"}, []string{"channelId", "contentDirection"}},
		"Advanced Messaging is always former": {sandbox.PlatformConfig{}, advancedPath, []string{"sourceId"}, []string{"channelId"}},
		"capitals":                            {sandbox.PlatformConfig{CapitalFormats: true}, contentsPath, []string{"bodyFormatted.Text", "bodyFormatted.Html"}, []string{"bodyFormatted.text"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := loggedIn(t, test.cfg, sandbox.Deps{})
			made := p.importContent(sandbox.SocialImport{})
			keys := keysOf(t, string(p.call(http.MethodGet, test.path+"/"+made.ID, "").body))
			require.Subset(t, keys, test.has)
			for _, key := range test.hasnt {
				require.NotContains(t, keys, key)
			}
		})
	}
}

func TestCreatedContentIsPublishedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{ExportDelay: time.Minute}, sandbox.Deps{})
		parent := p.importContent(sandbox.SocialImport{})
		answer := p.create(contentsPath, `{"inReplyToContentId":"`+parent.ID+`","body":"answer","public":false,"contextData":{"ref":"r1"}}`)
		require.Equal(t, 201, answer.status)
		got := decode[sandbox.SocialContent](answer)
		require.Equal(t, sandbox.SocialUserReply, got.Status)
		require.Equal(t, sandbox.SocialExportPending, got.SynchronizationStatus)
		require.Equal(t, parent.ThreadID, got.ThreadID)
		require.Equal(t, sandbox.Optional(parent.ID), got.InReplyToContentID)
		require.Equal(t, "Api", got.CreatedFrom)
		require.False(t, got.Public)
		require.Nil(t, got.ContextData, "nothing public tells that it comes back")
		after, err := p.Content(parent.ID)
		require.NoError(t, err)
		require.Equal(t, sandbox.SocialReplied, after.Status)
		require.Equal(t, 400, p.create(contentsPath, `{"inReplyToContentId":"`+got.ID+`","body":"x"}`).status, "not published yet")
		time.Sleep(time.Minute)
		synctest.Wait()
		after, _ = p.Content(got.ID)
		require.Equal(t, sandbox.SocialExportSuccess, after.SynchronizationStatus)
		require.Equal(t, got.ID, p.Calls()[1].ContentID)
		require.Equal(t, parent.ThreadID, p.Calls()[1].ThreadID)
	})
}

func TestContentIsRefused(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{KeepContextData: true}, sandbox.Deps{})
	channel := p.Channels()[0].ID
	parent := p.importContent(sandbox.SocialImport{})
	for name, test := range map[string]struct {
		path, body string
		status     int
	}{
		"an unknown parent":           {contentsPath, `{"inReplyToContentId":"x","body":"b"}`, 404},
		"an unknown channel":          {contentsPath, `{"channelId":"x","to":["+1"],"body":"b"}`, 404},
		"no channel":                  {contentsPath, `{"to":["+1"],"body":"b"}`, 400},
		"the channel's former name":   {contentsPath, `{"sourceId":"` + channel + `","to":["+1"],"body":"b"}`, 400},
		"no body":                     {contentsPath, `{"inReplyToContentId":"` + parent.ID + `"}`, 400},
		"nobody to write to":          {contentsPath, `{"channelId":"` + channel + `","body":"b"}`, 400},
		"a body beyond the channel's": {contentsPath, `{"inReplyToContentId":"` + parent.ID + `","body":"` + strings.Repeat("é", 3801) + `"}`, 400},
		"no JSON":                     {contentsPath, `body=b`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.create(test.path, test.body)
			require.Equal(t, test.status, got.status, string(got.body))
			require.NotContains(t, keysOf(t, string(got.body)), "errorCode", "errors alone")
		})
	}
	require.Len(t, p.Contents(), 1)
	require.Equal(t, 201, p.create(contentsPath, `{"inReplyToContentId":"`+parent.ID+`","body":"`+strings.Repeat("é", 3800)+`"}`).status)
	require.Equal(t, 201, p.create(advancedPath, `{"sourceId":"`+channel+`","to":["+1"],"body":"b"}`).status)
	got := decode[sandbox.SocialContent](p.create(contentsPath,
		`{"channelId":"`+channel+`","to":["+1"],"templateName":"hello","contextData":{"ref":"r1"}}`))
	require.Equal(t, "OutboundMessage", got.Type)
	require.Empty(t, got.Body, "a template's text is not in the body")
	require.Equal(t, map[string]any{"ref": "r1"}, got.ContextData, "on demand")
	require.Equal(t, 404, p.call(http.MethodGet, contentsPath+"/unknown", "").status)
}

func TestSocialListsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{IndexLag: 5 * time.Second}, sandbox.Deps{})
		made := p.importContent(sandbox.SocialImport{Body: "before"})
		require.Empty(t, p.bodies(contentsPath))
		require.Equal(t, 200, p.call(http.MethodGet, contentsPath+"/"+made.ID, "").status, "a get does not lag")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		body := "after"
		_, err := p.EditContent(made.ID, sandbox.SocialEdit{Body: &body})
		require.NoError(t, err)
		require.Equal(t, []string{"before"}, p.bodies(contentsPath), "nor does a change show at once")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"after"}, p.bodies(contentsPath))
	})
}

func TestSocialIdentities(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	ann := p.importContent(sandbox.SocialImport{Author: "Ann"}).AuthorIdentityID
	require.Equal(t, ann, p.importContent(sandbox.SocialImport{Author: "Ann"}).AuthorIdentityID)
	c.move(time.Second)
	p.importContent(sandbox.SocialImport{Author: "Bob", Status: sandbox.SocialUserInitiated})
	p.importContent(sandbox.SocialImport{Author: "Cid"})
	c.move(time.Second)
	p.PutIdentity(sandbox.SocialIdentity{ID: ann, MobilePhone: "+1"})
	path := "/cx/social-messaging/v1/identities"
	names := func(query string) string {
		var out []string
		for _, i := range p.page(path + query).Records {
			out = append(out, i.DisplayName)
		}
		return strings.Join(out, ",")
	}
	require.Equal(t, "Ann", names(query("orderBy", "-lastModifiedTime", "perPage", "1")))
	require.Equal(t, "Brand", names(query("identityType", "Agent")))
	require.Equal(t, "Brand", names(query("userId", sandbox.ExtensionID)))
	require.Equal(t, "Ann", names(query("uuid", ann)))
	require.Empty(t, names(query("channelId", "other")))
	var one map[string]any
	require.NoError(t, json.Unmarshal(p.call(http.MethodGet, path+"/"+ann, "").body, &one))
	require.Equal(t, "+1", one["mobilePhone"])
	require.NotContains(t, one, "foreignId")
	require.Equal(t, 404, p.call(http.MethodGet, path+"/x", "").status)
}
