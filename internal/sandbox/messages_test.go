package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// messagePage is a page of the store, or a sync.
type messagePage struct {
	Records []struct {
		ID             int64
		Subject        string
		Availability   string
		MessageStatus  string
		CreationTime   string
		LastModified   string `json:"lastModifiedTime"`
		ConversationID json.Number
		Conversation   *sandbox.Conversation
	}
	Paging     map[string]int
	Navigation map[string]struct{ URI string }
	SyncInfo   struct {
		SyncType, SyncToken, SyncTime string
		OlderRecordsExist             bool
	}
}

func (p *platform) messages(path string) messagePage {
	p.t.Helper()
	return decode[messagePage](p.call(http.MethodGet, path, ""))
}

func (m messagePage) texts() string {
	var out []string
	for _, r := range m.Records {
		out = append(out, r.Subject)
	}
	return strings.Join(out, ",")
}

func TestMessageListLooksAsRecorded(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.importMessage(sandbox.MessageImport{})
	got := p.call(http.MethodGet, messagesPath, "")
	require.Equal(t, without(keysOf(t, sample("rc_message_store_list_sms_inbound")), "records.from.location"), keysOf(t, string(got.body)))
	require.Contains(t, string(got.body), "/account/"+sandbox.AccountID+"/extension/"+sandbox.ExtensionID+"/message-store?",
		"the tilde is expanded")
}

func TestCreationHasWholeSecondsAndModificationMilliseconds(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: newClock().now})
	p.importMessage(sandbox.MessageImport{})
	got := p.messages(messagesPath).Records[0]
	require.Equal(t, "2026-03-04T05:06:07.000Z", got.CreationTime)
	require.Equal(t, "2026-03-04T05:06:07.891Z", got.LastModified)
}

func TestAFrameThatBeginsWithinTheSecondMissesTheMessage(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	p.importMessage(sandbox.MessageImport{Text: "x"})
	require.Empty(t, p.messages(messagesPath+query("dateFrom", iso(c.at.Add(-100*time.Millisecond)))).texts())
	require.Equal(t, "x", p.messages(messagesPath+query("dateFrom", iso(c.at.Add(-time.Second)))).texts())
}

func TestMessageFilters(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	p.importMessage(sandbox.MessageImport{Text: "old", CreatedAt: c.at.Add(-25 * time.Hour)})
	c.move(time.Second)
	in := p.importMessage(sandbox.MessageImport{Text: "in", From: customer})
	c.move(time.Second)
	sent(p.text(customer, "out"))
	p.importMessage(sandbox.MessageImport{Text: "fax", Type: "Fax"})
	gone := p.importMessage(sandbox.MessageImport{Text: "gone"})
	require.Equal(t, 204, p.store(gone.ID, http.MethodDelete, "").status)
	for name, test := range map[string]struct{ query, want string }{
		"a day by default, newest first": {"", "fax,out,in"},
		"further back":                   {query("dateFrom", iso(c.at.Add(-48*time.Hour))), "fax,out,in,old"},
		"up to a time":                   {query("dateTo", iso(c.at.Add(-time.Second))), "in"},
		"by direction":                   {query("direction", "Outbound"), "out"},
		"by type":                        {query("messageType", "SMS"), "out,in"},
		"by types":                       {query("messageType", "Fax", "messageType", "SMS"), "fax,out,in"},
		"by number, of either side":      {query("phoneNumber", customer), "out,in"},
		"by read status":                 {query("readStatus", "Read"), "out"},
		"by conversation":                {query("conversationId", in.Conversation.ID), "out,in"},
		"one of each conversation":       {query("conversationId", in.Conversation.ID, "distinctConversations", "true"), "out"},
		"what is deleted, where asked":   {query("availability", "Deleted"), "gone"},
		"both":                           {query("availability", "Deleted", "availability", "Alive"), "gone,fax,out,in"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, p.messages(messagesPath+test.query).texts())
		})
	}
	for _, odd := range []string{"?dateFrom=yesterday", "?dateTo=x", "?page=0", "?perPage=x"} {
		require.Equal(t, "CMN-101", p.call(http.MethodGet, messagesPath+odd, "").code(), odd)
	}
}

func TestMessagePages(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{NoTotals: true}, sandbox.Deps{})
	_, err := p.ImportMessages(sandbox.MessageImport{Count: 205})
	require.NoError(t, err)
	first := p.messages(messagesPath)
	require.Len(t, first.Records, 100)
	require.NotContains(t, first.Paging, "totalPages", "a client may not rely on it")
	next := first.Navigation["nextPage"].URI
	require.Contains(t, next, "page=2")
	second := p.messages(strings.TrimPrefix(next, base))
	third := p.messages(strings.TrimPrefix(second.Navigation["nextPage"].URI, base))
	require.Len(t, third.Records, 5)
	require.NotContains(t, third.Navigation, "nextPage")
	require.Contains(t, third.Navigation, "previousPage")
	require.Empty(t, p.messages(messagesPath+"?page=9").Records)
	require.Empty(t, p.messages(messagesPath+"?page=9223372036854775807").Records)
}

func TestOldConversations(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{OldConversations: true}, sandbox.Deps{})
	p.importMessage(sandbox.MessageImport{})
	got := p.messages(messagesPath).Records[0]
	require.Nil(t, got.Conversation)
	require.Len(t, got.ConversationID.String(), 19)
}

func TestMessageStoreLags(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{StoreLag: 3 * time.Second}, sandbox.Deps{Now: c.now})
	made := sent(p.text(customer, "x"))
	require.Empty(t, p.messages(messagesPath).texts())
	require.Equal(t, 200, p.store(made.ID, http.MethodGet, "").status)
	c.move(3 * time.Second)
	require.Equal(t, "x", p.messages(messagesPath).texts())
}

func TestChangesOfAMessage(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	id := p.importMessage(sandbox.MessageImport{}).ID
	availability := func() string {
		got, err := p.Message(id)
		require.NoError(t, err)
		return got.Availability + " " + got.ReadStatus
	}
	require.Equal(t, 200, p.store(id, http.MethodPut, `{"readStatus":"Read"}`).status)
	require.Equal(t, "Alive Read", availability())
	require.Equal(t, 200, p.store(id, http.MethodPatch, `{"readStatus":"Unread"}`).status)
	require.Equal(t, 204, p.store(id, http.MethodDelete, "").status)
	require.Equal(t, "Deleted Unread", availability())
	require.Equal(t, "Deleted", sent(p.store(id, http.MethodGet, "")).Availability, "it can still be read")
	require.Equal(t, 200, p.store(id, http.MethodPatch, `{"availability":"Alive"}`).status)
	require.Equal(t, "Alive Unread", availability(), "restored")
	for method, body := range map[string]string{
		http.MethodPut: `{"availability":"Alive"}`, http.MethodPatch: `{"availability":"Deleted"}`,
	} {
		require.Equal(t, 400, p.store(id, method, body).status)
	}
	require.Equal(t, 400, p.store(id, http.MethodPatch, `{}`).status)
	require.Equal(t, 400, p.store(id, http.MethodPut, `{"readStatus":"Seen"}`).status)
	require.Equal(t, 404, p.store(7, http.MethodPut, `{"readStatus":"Read"}`).status)
}

func TestDeletedTwiceIsPurged(t *testing.T) {
	for name, deletions := range map[string][]string{"twice": {"", ""}, "at once": {"?purge=true"}} {
		t.Run(name, func(t *testing.T) {
			p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
			made := p.importMessage(sandbox.MessageImport{})
			for _, q := range deletions {
				require.Equal(t, 204, p.call(http.MethodDelete, strings.TrimSuffix(made.URI, q)+q, "").status)
			}
			got, err := p.Message(made.ID)
			require.NoError(t, err)
			require.Equal(t, sandbox.Message{ID: made.ID, Availability: sandbox.AvailabilityPurged}, got)
			require.Equal(t, 404, p.store(made.ID, http.MethodGet, "").status)
			require.Equal(t, 404, p.store(made.ID, http.MethodDelete, "").status)
			require.Equal(t, 404, p.store(made.ID, http.MethodPatch, `{"availability":"Alive"}`).status, "for good")
		})
	}
}

func TestDeletedIsPurgedAfterFiveDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
		id := p.importMessage(sandbox.MessageImport{}).ID
		p.store(id, http.MethodDelete, "")
		time.Sleep(5*24*time.Hour + time.Second)
		synctest.Wait()
		got, err := p.Message(id)
		require.NoError(t, err)
		require.Equal(t, sandbox.AvailabilityPurged, got.Availability)
	})
}

func TestDeleteWithoutAnIDIsADisaster(t *testing.T) {
	for name, path := range map[string]string{"no id": messagesPath, "an empty id": messagesPath + "/"} {
		t.Run(name, func(t *testing.T) {
			p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
			_, err := p.ImportMessages(sandbox.MessageImport{Count: 3})
			require.NoError(t, err)
			require.Equal(t, 204, p.call(http.MethodDelete, path, "").status)
			require.Equal(t, 1, p.Disasters())
			require.Empty(t, p.messages(messagesPath).Records)
		})
	}
}

func TestNumbersLookAsRecorded(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	got := p.call(http.MethodGet, user+"/phone-number", "")
	require.Equal(t, without(keysOf(t, sample("rc_mock_extension_phone_numbers_sms")), "records.location"), keysOf(t, string(got.body)))
	require.Contains(t, string(p.call(http.MethodGet, user+"/phone-number"+query("usageType", "DirectNumber"), "").body), "SmsSender")
	require.NotContains(t, string(p.call(http.MethodGet, user+"/phone-number"+query("usageType", "CompanyFaxNumber"), "").body), "SmsSender")
}
