package ringcentral_test

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const store = "/restapi/v1.0/account/~/extension/~/message-store"

func TestASMSIsJSON(t *testing.T) {
	p := answering(`{"id":315450330010,"conversationId":4481650717038104652}`)
	raw, err := p.client(t).SendSMS(t.Context(), ringcentral.TextMessage{From: "+1", To: []string{"+2", "+3"}, Text: "é <b>"})
	require.NoError(t, err)
	require.Equal(t, "315450330010", ringcentral.ID(raw))
	require.Contains(t, string(raw), "4481650717038104652")
	require.Equal(t, "/restapi/v1.0/account/~/extension/~/sms", p.last().path)
	require.Equal(t, "application/json", p.last().header.Get("Content-Type"))
	require.JSONEq(t, `{"from":{"phoneNumber":"+1"},"to":[{"phoneNumber":"+2"},{"phoneNumber":"+3"}],"text":"é <b>"}`, p.last().body)
}

func TestAnMMSIsMultipartMixed(t *testing.T) {
	p := answering(`{"id":1}`)
	m := picture()
	m.Attachments = append(m.Attachments, ringcentral.File{Filename: "a\"b\r\nX: é.txt", ContentType: "text/plain; charset=utf-8", Content: []byte("hi")})
	_, err := p.client(t).SendMMS(t.Context(), m)
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(p.last().header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/mixed", kind)
	r := multipart.NewReader(strings.NewReader(p.last().body), params["boundary"])
	for _, want := range []struct{ kind, name, content string }{
		{"application/json", "request.json", `{"from":{"phoneNumber":"+15550100"},"to":[{"phoneNumber":"+15550111"}],"text":"Your parcel is on its way"}`},
		{"image/png", "a.png", "\x89PNG"},
		{"text/plain; charset=utf-8", "a\"b\r\nX: é.txt", "hi"},
	} {
		part, err := r.NextRawPart()
		require.NoError(t, err)
		content, err := io.ReadAll(part)
		require.NoError(t, err)
		require.Equal(t, want.kind, part.Header.Get("Content-Type"))
		disposition, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, "attachment", disposition)
		require.Equal(t, want.name, params["filename"])
		require.Equal(t, want.content, string(content))
		require.Empty(t, part.Header.Get("X"))
	}
	_, err = r.NextPart()
	require.ErrorIs(t, err, io.EOF)
}

func TestATextMessageThatWouldBeRefusedIsNotSent(t *testing.T) {
	var p platform
	c := p.client(t)
	file := picture().Attachments[0]
	many := func(n int) (files []ringcentral.File) {
		for range n {
			files = append(files, file)
		}
		return files
	}
	with := func(change func(*ringcentral.TextMessage)) ringcentral.TextMessage {
		m := picture()
		change(&m)
		return m
	}
	for fact, err := range map[string]error{
		"no sender":             second(c.SendSMS(t.Context(), ringcentral.TextMessage{To: []string{"+1"}, Text: "x"})),
		"nobody":                second(c.SendSMS(t.Context(), ringcentral.TextMessage{From: "+1", Text: "x"})),
		"an empty recipient":    second(c.SendSMS(t.Context(), ringcentral.TextMessage{From: "+1", To: []string{""}, Text: "x"})),
		"no text":               second(c.SendSMS(t.Context(), ringcentral.TextMessage{From: "+1", To: []string{"+1"}})),
		"1001 units of UTF-16":  second(c.SendSMS(t.Context(), ringcentral.TextMessage{From: "+1", To: []string{"+1"}, Text: strings.Repeat("😀", 500) + "x"})),
		"attachments in an SMS": second(c.SendSMS(t.Context(), picture())),
		"an MMS without any":    second(c.SendMMS(t.Context(), text())),
		"eleven attachments":    second(c.SendMMS(t.Context(), with(func(m *ringcentral.TextMessage) { m.Attachments = many(11) }))),
		"a byte too many, of all together": second(c.SendMMS(t.Context(), with(func(m *ringcentral.TextMessage) {
			m.Attachments = append(many(1), ringcentral.File{Filename: "b", ContentType: "image/png", Content: make([]byte, 1_500_000-3)})
		}))),
		"eleven recipients":       second(c.SendMMS(t.Context(), with(func(m *ringcentral.TextMessage) { m.To = strings.Split(strings.Repeat("+1,", 10)+"+1", ",") }))),
		"a type that is a header": second(c.SendMMS(t.Context(), with(func(m *ringcentral.TextMessage) { m.Attachments[0].ContentType = "image/png\r\nX: y" }))),
		"no file name":            second(c.SendMMS(t.Context(), with(func(m *ringcentral.TextMessage) { m.Attachments[0].Filename = "" }))),
	} {
		require.ErrorIs(t, err, ringcentral.ErrInvalid, fact)
	}
	require.Empty(t, p.auths)
	require.Empty(t, p.calls)

	for _, m := range []ringcentral.TextMessage{
		with(func(m *ringcentral.TextMessage) { m.Attachments = many(10) }),
		with(func(m *ringcentral.TextMessage) { m.Attachments[0].Content = make([]byte, 1_500_000); m.Text = "" }),
	} {
		_, err := c.SendMMS(t.Context(), m)
		require.NoError(t, err, "at the limit")
	}
}

func TestMessagesAreWalkedByTheNextPageAndNotByTotals(t *testing.T) {
	p := &platform{}
	p.answer = func(w http.ResponseWriter, a asked, n int) {
		switch n {
		case 1: // an address of the gateway behind the gateway, with filters that are not ours, and wrong totals
			_, _ = io.WriteString(w, `{"records":[{"id":1},{"id":2}],"paging":{"page":1,"perPage":2,"totalPages":1,"totalElements":2},
				"navigation":{"nextPage":{"uri":"https://elsewhere.example/steal?page=2&direction=Inbound"}}}`)
		case 2:
			_, _ = io.WriteString(w, `{"records":[{"id":3},{"id":4}],"paging":{"page":2,"perPage":2}}`) // no navigation: a full page has a next one
		default:
			_, _ = io.WriteString(w, `{"records":[{"id":5}],"paging":{"page":3,"perPage":2,"totalPages":9}}`)
		}
	}
	c := p.client(t)
	q := ringcentral.MessagesQuery{
		Types: []string{"SMS"}, Directions: []string{"Outbound"}, Availability: []string{"Alive", "Deleted"}, PhoneNumber: "+15550111", PerPage: 2,
		From: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), To: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
	}
	var ids []string
	for {
		page, err := c.Messages(t.Context(), q)
		require.NoError(t, err)
		for _, raw := range page.Records {
			ids = append(ids, ringcentral.ID(raw))
		}
		if q.Next = page.Next; q.Next == "" {
			break
		}
	}
	require.Equal(t, []string{"1", "2", "3", "4", "5"}, ids)
	require.Len(t, p.calls, 3)
	want := url.Values{
		"messageType": {"SMS"}, "direction": {"Outbound"}, "availability": {"Alive", "Deleted"}, "phoneNumber": {"+15550111"}, "perPage": {"2"},
		"dateFrom": {"2026-01-02T02:04:05.000Z"}, "dateTo": {"2026-01-03T00:00:00.000Z"},
	}
	require.Equal(t, want, p.calls[0].query)
	want.Set("page", "2")
	require.Equal(t, store, p.calls[1].path)
	require.Equal(t, want, p.calls[1].query, "our own filters, at our own address")
}

func TestAMessageListEnds(t *testing.T) {
	for fact, c := range map[string]struct{ answer, next string }{
		"a short page without navigation":  {`{"records":[{"id":1}],"paging":{"perPage":100}}`, ""},
		"navigation without a next page":   {`{"records":[{"id":1}],"paging":{"perPage":1},"navigation":{"lastPage":{"uri":"x"}}}`, ""},
		"an empty page that has a next":    {`{"records":[],"navigation":{"nextPage":{"uri":"x?page=2"}}}`, ""},
		"a next page without its number":   {`{"records":[{"id":1}],"navigation":{"nextPage":{"uri":"::"}}}`, "2"},
		"a full page that says no more":    {`{"records":[{"id":1}]}`, ""},
		"a full page, and no navigation":   {`{"records":[{"id":1}],"paging":{"perPage":1}}`, "2"},
		"a next page of a null navigation": {`{"records":[{"id":1}],"navigation":null}`, ""},
		"records of null":                  {`{"records":null,"navigation":{"nextPage":{"uri":"x?page=2"}}}`, ""},
		"numbers as text":                  {`{"records":[{"id":1}],"paging":{"perPage":"1","page":"1","totalPages":"9"}}`, "2"},
		"navigation of another kind":       {`{"records":[{"id":1}],"navigation":[]}`, ""},
		"an address that is no object":     {`{"records":[{"id":1}],"navigation":{"nextPage":"x?page=2"}}`, "2"},
	} {
		page, err := answering(c.answer).client(t).Messages(t.Context(), ringcentral.MessagesQuery{})
		require.NoError(t, err, fact)
		require.Equal(t, c.next, page.Next, fact)
	}
	page, err := answering(`{"records":[{"id":1}],"navigation":{"nextPage":{"uri":"x?page=1"}}}`).client(t).Messages(t.Context(), ringcentral.MessagesQuery{})
	require.ErrorIs(t, err, ringcentral.ErrSamePage)
	require.Len(t, page.Records, 1, "what was read is there")
}

func TestAFullSynchronizationAlwaysSendsItsBeginning(t *testing.T) {
	p := answering(`{"records":[{"id":1,"availability":"Purged"}],"syncInfo":{"syncType":"FSync","syncToken":"tok","syncTime":"2026-01-01T00:00:00.123Z","olderRecordsExist":true}}`)
	c := p.client(t)
	_, err := c.SyncMessages(t.Context(), ringcentral.SyncQuery{})
	require.ErrorIs(t, err, ringcentral.ErrInvalid)
	require.Empty(t, p.calls)

	answer, err := c.SyncMessages(t.Context(), ringcentral.SyncQuery{From: time.Unix(0, 0), Types: []string{"SMS"}, RecordCount: 50})
	require.NoError(t, err)
	require.Equal(t, "tok", answer.Token)
	require.True(t, answer.OlderRecordsExist)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 123e6, time.UTC), answer.Time)
	require.Len(t, answer.Records, 1)
	require.Equal(t, url.Values{"syncType": {"FSync"}, "dateFrom": {"1970-01-01T00:00:00.000Z"}, "messageType": {"SMS"}, "recordCount": {"50"}}, p.last().query)

	_, err = c.SyncMessages(t.Context(), ringcentral.SyncQuery{Token: "tok", From: time.Unix(0, 0), Types: []string{"SMS"}})
	require.NoError(t, err)
	require.Equal(t, url.Values{"syncType": {"ISync"}, "syncToken": {"tok"}}, p.last().query)
}

func TestTheRowsOfASyncCountWhateverIsAroundThem(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for fact, c := range map[string]struct {
		body string
		rows int
		want ringcentral.SyncAnswer
	}{
		"the flag as text":     {`{"records":[{"id":1}],"syncInfo":{"syncToken":"t","syncTime":"2026-01-01T00:00:00Z","olderRecordsExist":"true"}}`, 1, ringcentral.SyncAnswer{Token: "t", Time: at, OlderRecordsExist: true}},
		"the other flag":       {`{"records":[{"id":1}],"syncInfo":{"syncToken":"t","syncTime":"2026-01-01T00:00:00Z","olderRecordsExist":"false"}}`, 1, ringcentral.SyncAnswer{Token: "t", Time: at}},
		"a byte order mark":    {"\xef\xbb\xbf" + `{"records":[{"id":1}],"syncInfo":{"syncToken":"t"}}`, 1, ringcentral.SyncAnswer{Token: "t"}},
		"no token":             {`{"records":[{"id":1}],"syncInfo":{"syncTime":1767225600000}}`, 1, ringcentral.SyncAnswer{Time: at}},
		"a null token":         {`{"records":[{"id":1}],"syncInfo":{"syncToken":null,"syncTime":"2026-01-01T00:00:00.000+0000"}}`, 1, ringcentral.SyncAnswer{Time: at}},
		"no info":              {`{"records":[{"id":1}]}`, 1, ringcentral.SyncAnswer{}},
		"info of another kind": {`{"records":[{"id":1}],"syncInfo":[]}`, 1, ringcentral.SyncAnswer{}},
		"records of null":      {`{"records":null,"syncInfo":{"syncToken":"t"}}`, 0, ringcentral.SyncAnswer{Token: "t"}},
		"no records":           {`{"syncInfo":{"syncToken":"t"}}`, 0, ringcentral.SyncAnswer{Token: "t"}},
	} {
		answer, err := answering(c.body).client(t).SyncMessages(t.Context(), ringcentral.SyncQuery{Token: "tok"})
		require.NoError(t, err, fact)
		require.Len(t, answer.Records, c.rows, fact)
		answer.Records = nil
		answer.Time = answer.Time.UTC()
		c.want.Time = c.want.Time.UTC()
		require.Equal(t, c.want, answer, fact)
	}
	for _, body := range []string{`{}`, `[]`, `<html>`, `{"message":"x"}`} {
		_, err := answering(body).client(t).SyncMessages(t.Context(), ringcentral.SyncQuery{Token: "tok"})
		require.Error(t, err, body)
	}
}

func TestALostSyncTokenIsKnownInAnyWords(t *testing.T) {
	for fact, c := range map[string]struct {
		status int
		body   string
		lost   bool
	}{
		"full synchronization is required": {400, `{"errorCode":"MSG-333","message":"full synchronization is required"}`, true},
		"in the newer shape":               {400, `{"errors":[{"errorCode":"MSG-333","message":"x"}]}`, true},
		"the parameter is invalid": {
			400, `{"errorCode":"InvalidParameter","message":"x","errors":[{"errorCode":"CMN-101","message":"Parameter [syncToken] value is invalid","parameterName":"syncToken"}]}`, true,
		},
		"which, isn't said":         {400, `{"errorCode":"CMN-101","message":"Parameter [syncToken] is invalid"}`, true},
		"another parameter is":      {400, `{"errorCode":"CMN-101","message":"x","errors":[{"errorCode":"CMN-101","message":"x","parameterName":"recordCount"}],"parameterName":"recordCount"}`, false},
		"it is called gone":         {410, `{"errorCode":"CMN-102","message":"Resource for parameter [syncToken] is not found"}`, true},
		"it is called missing":      {404, `{"errorCode":"CMN-102","message":"x","parameterName":"syncToken"}`, true},
		"it cannot be processed":    {422, `{"errors":[{"errorCode":"CMN-999","message":"invalid token"}]}`, true},
		"it is called forbidden":    {403, `{"errorCode":"MSG-333","message":"x"}`, true},
		"in no JSON at all":         {400, `<html>Bad Request</html>`, true},
		"without a code":            {400, `{"message":"invalid token"}`, true},
		"a permission is missing":   {403, `{"errorCode":"CMN-408","message":"In order to call this API endpoint, user needs to have [ReadMessages] permission"}`, false},
		"the credential is":         {401, `{"errorCode":"OAU-213","message":"Token not found"}`, false},
		"there were too many calls": {429, `{"errorCode":"CMN-301","message":"Request rate exceeded"}`, false},
		"an outage":                 {503, `{"errorCode":"MSG-333","message":"x"}`, false},
	} {
		t.Run(fact, func(t *testing.T) {
			p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) { w.WriteHeader(c.status); _, _ = io.WriteString(w, c.body) }}
			_, err := p.client(t).SyncMessages(t.Context(), ringcentral.SyncQuery{Token: "tok"})
			if c.lost {
				require.ErrorIs(t, err, ringcentral.ErrSyncTokenLost)
			} else {
				require.NotErrorIs(t, err, ringcentral.ErrSyncTokenLost)
			}
			require.Equal(t, c.status, failure(t, err).Status)
		})
	}
}

func TestAMessageIsChangedByTheMethodThatKnowsHow(t *testing.T) {
	p := answering(`{"id":1}`)
	c := p.client(t)
	for fact, want := range map[string]struct {
		change       ringcentral.MessageChange
		method, body string
	}{
		"read":               {ringcentral.MessageChange{ReadStatus: "READ"}, http.MethodPut, `{"readStatus":"Read"}`},
		"unread":             {ringcentral.MessageChange{ReadStatus: "Unread"}, http.MethodPut, `{"readStatus":"Unread"}`},
		"restored":           {ringcentral.MessageChange{Restore: true}, http.MethodPatch, `{"availability":"Alive"}`},
		"restored as unread": {ringcentral.MessageChange{Restore: true, ReadStatus: "unread"}, http.MethodPatch, `{"availability":"Alive","readStatus":"Unread"}`},
	} {
		_, err := c.UpdateMessage(t.Context(), "402412194008", want.change)
		require.NoError(t, err, fact)
		require.Equal(t, want.method, p.last().method, fact)
		require.Equal(t, store+"/402412194008", p.last().path)
		require.JSONEq(t, want.body, p.last().body, fact)
	}
	for _, change := range []ringcentral.MessageChange{{}, {ReadStatus: "seen"}} {
		_, err := c.UpdateMessage(t.Context(), "1", change)
		require.ErrorIs(t, err, ringcentral.ErrInvalid)
	}
}

func TestADeleteWithoutAnIDWouldDeleteEverything(t *testing.T) {
	p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) { w.WriteHeader(http.StatusNoContent) }}
	c := p.client(t)
	for _, id := range []string{"", " ", ".", "..", "/", "1,2", "1/2", "%20", "~", "-1", "1?purge=true", "٣"} {
		require.ErrorIs(t, c.DeleteMessage(t.Context(), id, false), ringcentral.ErrInvalid, id)
		require.ErrorIs(t, second(c.Message(t.Context(), id)), ringcentral.ErrInvalid, id)
		require.ErrorIs(t, second(c.UpdateMessage(t.Context(), id, ringcentral.MessageChange{Restore: true})), ringcentral.ErrInvalid, id)
	}
	require.Empty(t, p.calls)
	require.Empty(t, p.auths)
	require.NoError(t, c.DeleteMessage(t.Context(), "402412194008", false))
	require.Equal(t, http.MethodDelete, p.last().method)
	require.Equal(t, store+"/402412194008", p.last().path)
	require.Empty(t, p.last().query)
	require.NoError(t, c.DeleteMessage(t.Context(), "402412194008", true))
	require.Equal(t, url.Values{"purge": {"true"}}, p.last().query)
}

func TestAnIDNeverGoesThroughAFloat(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":8234962969801171948}`:   "8234962969801171948",
		`{"id":"8234962969801171948"}`: "8234962969801171948",
		`{"id":9007199254740993}`:      "9007199254740993",
		`{"id":1e3}`:                   "",
		`{"id":-1}`:                    "",
		`{"id":null}`:                  "",
		`{"id":{}}`:                    "",
		`{}`:                           "",
		`[]`:                           "",
	} {
		require.Equal(t, want, ringcentral.ID([]byte(body)), body)
	}
}

func TestPhoneNumbersTellWhatTheyCanSend(t *testing.T) {
	p := &platform{answer: func(w http.ResponseWriter, a asked, _ int) {
		require.Equal(t, "/restapi/v1.0/account/~/extension/~/phone-number", a.path)
		if a.query.Get("page") == "1" {
			_, _ = io.WriteString(w, `{"records":[{"id":299282004,"phoneNumber":"+12092075555","usageType":"DirectNumber","features":["SmsSender","MmsSender"]}],
				"navigation":{"nextPage":{"uri":"https://platform.example/x?page=2"}}}`)
			return
		}
		_, _ = io.WriteString(w, `{"records":[{"id":"1162144004","phoneNumber":"+18442023350","features":["CallerId"]}],"navigation":{}}`)
	}}
	numbers, err := p.client(t).PhoneNumbers(t.Context())
	require.NoError(t, err)
	require.Len(t, numbers, 2)
	require.True(t, numbers[0].SendsSMS())
	require.True(t, numbers[0].SendsMMS())
	require.False(t, numbers[1].SendsSMS())
	require.EqualValues(t, "1162144004", numbers[1].ID)
}
