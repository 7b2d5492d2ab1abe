package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	listRoute   = "GET /1.0/contents"
	socialRoute = "GET /cx/social-messaging/v1/contents"
)

// quirk adds a quirk to every call; value is JSON, or nothing.
func (a *api) quirk(name, value string) {
	a.t.Helper()
	a.fault(sandbox.Fault{Quirk: name, Value: json.RawMessage(value)})
}

func (a answer) object() map[string]any {
	a.t.Helper()
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\ufeff"))))
	d.UseNumber()
	var out map[string]any
	require.NoError(a.t, d.Decode(&out), string(a.body))
	return out
}

// TestListsOfEngageAreOdd asks for a page of ten of twenty contents.
func TestListsOfEngageAreOdd(t *testing.T) {
	n := func(text string) json.Number { return json.Number(text) }
	tests := map[string]struct {
		quirk, value, query string
		status              int
		rows                int
		want                map[string]any // of the envelope
	}{
		"a page is clamped":               {"page_clamped", `3`, "limit=10", 200, 3, map[string]any{"count": n("20"), "limit": n("3")}},
		"a page without a limit, too":     {"page_clamped", `3`, "", 200, 3, map[string]any{"limit": n("3")}},
		"a smaller page stays":            {"page_clamped", `30`, "limit=10", 200, 10, map[string]any{"limit": n("10")}},
		"there is no count":               {"count", `"absent"`, "limit=10", 200, 10, map[string]any{"count": nil, "limit": n("10")}},
		"the count is null":               {"count", `"null"`, "limit=10", 200, 10, map[string]any{"count": nil}},
		"the count is the page's":         {"count", `"page"`, "limit=10", 200, 10, map[string]any{"count": n("10")}},
		"the count is less than that":     {"count", `"less"`, "limit=10", 200, 10, map[string]any{"count": n("9")}},
		"a page is too large":             {"page_size_refused", `9`, "limit=10", 422, 0, nil},
		"a page is not too large":         {"page_size_refused", `10`, "limit=10", 200, 10, nil},
		"a page holds the poison row":     {"poison_row", `12`, "limit=10&offset=10", 500, 0, nil},
		"a page does not hold it":         {"poison_row", `12`, "limit=10&offset=0", 200, 10, nil},
		"a page lies beyond the window":   {"page_window", `15`, "limit=10&offset=10", 422, 0, nil},
		"a page lies within the window":   {"page_window", `20`, "limit=10&offset=10", 200, 10, nil},
		"numbers are text":                {"numbers_as_text", ``, "limit=10", 200, 10, map[string]any{"count": "20", "offset": "0", "limit": "10"}},
		"no rows are null":                {"null_records", ``, "offset=20", 200, 0, map[string]any{"records": nil}},
		"rows are null in any case":       {"null_records", `"always"`, "limit=10", 200, 0, map[string]any{"records": nil}},
		"a byte order mark goes before":   {"byte_order_mark", ``, "limit=10", 200, 10, map[string]any{"count": n("20")}},
		"fields of the envelope are gone": {"missing", `"offset,limit"`, "limit=10", 200, 10, map[string]any{"offset": nil, "limit": nil, "count": n("20")}},
		"all is refused":                  {"refused", `"422"`, "limit=10", 422, 0, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := start(t, sandbox.Config{})
			a.incoming(sandbox.Import{Count: 20})
			a.quirk(test.quirk, test.value)
			got := a.get("/1.0/contents?" + test.query)
			require.Equal(t, test.status, got.status, string(got.body))
			require.Equal(t, test.quirk == "byte_order_mark", bytes.HasPrefix(got.body, []byte("\ufeff")))
			if got.status != 200 {
				return
			}
			doc := got.object()
			rows, _ := doc["records"].([]any)
			require.Len(t, rows, test.rows)
			for field, want := range test.want {
				require.Equal(t, want, doc[field], field)
			}
		})
	}
}

// TestRowsAreOdd looks at the row of a list and at the same row by itself.
func TestRowsAreOdd(t *testing.T) {
	tests := map[string]struct {
		quirk, value string
		field        string
		want         any
	}{
		"a field is of another shape": {"row_fields", `{"category_ids":{},"created_at":1796032800}`, "created_at", json.Number("1796032800")},
		"a field is missing":          {"row_missing", `"status,type"`, "status", nil},
		"its files come late":         {"attachments_late", ``, "attachments", []any{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := start(t, sandbox.Config{})
			made := a.incoming(sandbox.Import{Attachments: []sandbox.Attachment{{Filename: "a.png"}}})
			a.quirk(test.quirk, test.value)
			list := a.get("/1.0/contents").object()["records"].([]any)[0].(map[string]any)
			single := a.get("/1.0/contents/" + made.ID).object()
			require.Equal(t, single, list)
			require.Equal(t, test.want, single[test.field])
			require.Equal(t, made.ID, single["id"])
		})
	}
}

func TestFilesComeWithTheSecondAnswer(t *testing.T) {
	a := start(t, sandbox.Config{})
	files := []sandbox.Attachment{{Filename: "a.png"}}
	one, other := a.incoming(sandbox.Import{Attachments: files}), a.incoming(sandbox.Import{Attachments: files})
	a.fault(sandbox.Fault{Route: "GET /1.0/contents/{id}", Quirk: "attachments_late", Per: "id", Times: 1})
	for range 2 {
		require.Empty(t, a.get("/1.0/contents/"+one.ID).content().Attachments)
		require.Len(t, a.get("/1.0/contents/"+one.ID).content().Attachments, 1)
		one = other
	}
}

func TestSeveralQuirksApplyBesideAFault(t *testing.T) {
	a := start(t, sandbox.Config{})
	a.incoming(sandbox.Import{Count: 20})
	a.fault(sandbox.Fault{Route: listRoute, Status: 500, Times: 1})
	a.fault(sandbox.Fault{Route: listRoute, Quirk: "page_clamped", Value: json.RawMessage(`3`)})
	a.fault(sandbox.Fault{Route: listRoute, Quirk: "count", Value: json.RawMessage(`"page"`)})
	a.fault(sandbox.Fault{Route: listRoute, Quirk: "byte_order_mark"})
	require.Equal(t, 500, a.get("/1.0/contents").status)
	got := a.get("/1.0/contents")
	require.True(t, bytes.HasPrefix(got.body, []byte("\ufeff")))
	require.Equal(t, json.Number("3"), got.object()["count"])
	require.Equal(t, "page_clamped count byte_order_mark", a.Calls()[1].Fault)
	a.ClearFaults()
	require.Len(t, a.list(), 20)
}

// TestThePlatformRefuses sees the envelope and the code of each refusal.
func TestThePlatformRefuses(t *testing.T) {
	const order = contentsPath + "?orderBy=%2BlastModifiedTime"
	tests := map[string]struct {
		quirk, value string
		path         string
		status       int
		want         string // in the body
	}{
		"the order, by default":          {"order_refused", `"CMN-101"`, order, 400, `"parameterName":"orderBy"`},
		"the order, as inefficient":      {"order_refused", `"EDI-036"`, order, 422, `{"errors":[{"errorCode":"EDI-036","message":"Inefficient sort"`},
		"the order, as a query":          {"order_refused", `"EDI-028"`, order, 400, `"errorCode":"EDI-028"`},
		"the order, as a parameter":      {"order_refused", `"EDI-038"`, order, 400, `"errorCode":"EDI-038"`},
		"but no other order":             {"order_refused", `"EDI-036"`, contentsPath + "?orderBy=-creationTime", 200, `"records":[`},
		"a page token":                   {"page_token_refused", `"410"`, contentsPath + "?pageToken=x", 410, `"errors":[`},
		"but not the first page":         {"page_token_refused", `"410"`, contentsPath, 200, `"records":[`},
		"a sync token, as gone":          {"sync_token_refused", `"404 CMN-102"`, syncPath + "?syncType=ISync&syncToken=x", 404, `"errorCode":"CMN-102"`},
		"a sync token, as a parameter":   {"sync_token_refused", `"CMN-101"`, syncPath + "?syncType=ISync&syncToken=x", 400, `"parameterName":"syncToken"`},
		"but not a full sync":            {"sync_token_refused", `"CMN-101"`, syncPath + "?syncType=FSync", 200, `"syncToken"`},
		"what was deleted":               {"deleted_refused", `"CMN-101"`, messagesPath + "?availability=Alive&availability=Deleted", 400, `"parameterName":"availability"`},
		"but not what is alive":          {"deleted_refused", `"CMN-101"`, messagesPath + "?availability=Alive", 200, `"records":[`},
		"with a reason in details":       {"refused", `"EDI-033"`, contentsPath, 422, `"details":"Author cannot be blank"`},
		"for a permission":               {"refused", `"CMN-408"`, messagesPath, 403, `"errorCode":"CMN-408"`},
		"for good":                       {"refused", `"EDI-016"`, contentsPath, 403, `"errorCode":"EDI-016"`},
		"what is unknown":                {"refused", `"EDI-029"`, contentsPath, 404, `"errorCode":"EDI-029"`},
		"a page that is too large":       {"page_size_refused", `50`, contentsPath + "?perPage=100", 400, `"parameterName":"perPage"`},
		"a page that is beyond a window": {"page_window", `50`, messagesPath + "?page=2&perPage=50", 400, `"parameterName":"page"`},
		"a page with the poison row":     {"poison_row", `60`, messagesPath + "?page=2&perPage=50", 500, `"errors":[`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
			p.importContent(sandbox.SocialImport{})
			p.quirk(test.quirk, test.value)
			got := p.call(http.MethodGet, test.path, "")
			require.Equal(t, test.status, got.status, string(got.body))
			require.Contains(t, string(got.body), test.want)
		})
	}
}

// TestPageTokensLeadNowhere follows them.
func TestPageTokensLeadNowhere(t *testing.T) {
	for name, test := range map[string]struct {
		quirk string
		want  []int // pages by number, of four
	}{
		"as they should":                {"", []int{1, 2, 3, 4}},
		"the second page comes again":   {"page_token_repeats", []int{1, 2, 2, 2, 2, 2}},
		"the third leads to the second": {"page_token_cycles", []int{1, 2, 3, 2, 3, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
			var all []string
			for range 8 {
				all = append(all, p.importContent(sandbox.SocialImport{}).ID)
			}
			slices.Reverse(all)
			if test.quirk != "" {
				p.fault(sandbox.Fault{Route: socialRoute, Quirk: test.quirk})
			}
			token, pages := "", []int{}
			for len(pages) < 6 {
				pairs := []string{"perPage", "2"}
				if token != "" {
					pairs = append(pairs, "pageToken", token)
				}
				got := decode[struct {
					Records []sandbox.SocialContent
					Paging  struct{ NextPageToken string }
				}](p.call(http.MethodGet, contentsPath+query(pairs...), ""))
				pages = append(pages, 1+slices.Index(all, got.Records[0].ID)/2)
				if token = got.Paging.NextPageToken; token == "" {
					break
				}
			}
			require.Equal(t, test.want, pages)
		})
	}
}

func TestThePlatformsEnvelopesAreOdd(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	p.importMessage(sandbox.MessageImport{})
	sync := syncPath + "?syncType=FSync"
	p.quirk("numbers_as_text", "")
	info := p.call(http.MethodGet, sync, "").object()["syncInfo"].(map[string]any)
	require.Equal(t, "false", info["olderRecordsExist"])
	p.ClearFaults()
	p.quirk("missing", `"syncToken,syncTime"`)
	doc := p.call(http.MethodGet, sync, "").object()
	require.Len(t, doc["records"], 1)
	require.ElementsMatch(t, []string{"syncType", "olderRecordsExist"}, slices.Collect(maps.Keys(doc["syncInfo"].(map[string]any))))
	p.ClearFaults()
	p.quirk("row_missing", `"direction"`)
	row := p.call(http.MethodGet, sync, "").object()["records"].([]any)[0].(map[string]any)
	require.NotContains(t, row, "direction")
	require.Greater(t, len(row["conversationId"].(json.Number)), 16, "to the last digit")
	p.ClearFaults()
	p.quirk("next_page_loops", "")
	next := p.call(http.MethodGet, messagesPath, "").object()["navigation"].(map[string]any)["nextPage"].(map[string]any)["uri"]
	require.Equal(t, base+messagesPath, next)
}

func TestContextDataTakesStringsAlone(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	parent := p.importContent(sandbox.SocialImport{})
	create := func(data string) answer {
		return p.create(contentsPath, `{"inReplyToContentId":"`+parent.ID+`","body":"b","contextData":`+data+`}`)
	}
	require.Equal(t, 201, create(`{"order":1}`).status)
	p.quirk("strings_only", "")
	got := create(`{"order":1}`)
	require.Equal(t, []any{422, "EDI-008"}, []any{got.status, got.code()})
	require.Equal(t, 201, create(`{"order":"1"}`).status)
	p.ClearFaults()
	p.quirk("success_status", "200")
	require.Equal(t, 200, create(`{}`).status)
}

// TestSubscriptionsAreOdd creates one with two filters, and looks at what it is shown.
func TestSubscriptionsAreOdd(t *testing.T) {
	const social = "/cx/social-messaging/v1/contents/Imported"
	tests := map[string]struct {
		quirk, value string
		status       int
		want         string
	}{
		"a filter is refused":     {"filter_refused", `"/cx/"`, 400, `"errorCode":"SUB-508","message":"Event filters are not valid","parameterName":"eventFilters","parameterValue":"` + social + `"`},
		"another filter is":       {"filter_refused", `"/cx/other"`, 200, `"status":"Active"`},
		"a filter is disabled":    {"filter_disabled", `"/cx/"`, 200, `"disabledFilters":[{"filter":"` + social + `"`},
		"filters change places":   {"filters_rewritten", ``, 200, `"eventFilters":["` + social + `?added=true","`},
		"the address has a slash": {"address_rewritten", `"slash"`, 200, `"address":"http://Bridge/hooks/"`},
		"it has another case":     {"address_rewritten", `"case"`, 200, `"address":"http://bridge/hooks"`},
		"it has the usual port":   {"address_rewritten", `"port"`, 200, `"address":"http://Bridge:80/hooks"`},
		"its expiry is missing":   {"missing", `"expirationTime,expiresIn"`, 200, `"deliveryMode":{"address":"http://Bridge/hooks","encryption":false,"transportType":"WebHook"},"eventFilters"`},
		"its life is short":       {"life", `"15m"`, 200, `"expiresIn":899`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l listener
				p, _ := subscribed(t, &l, sandbox.PlatformConfig{})
				p.quirk(test.quirk, test.value)
				body := fmt.Sprintf(`{"eventFilters":[%q,%q],"deliveryMode":{"transportType":"WebHook","address":"http://Bridge/hooks"}}`, storeFilter, social)
				got := p.call(http.MethodPost, subPath, body)
				require.Equal(t, test.status, got.status, string(got.body))
				require.Contains(t, string(got.body), test.want)
				if test.quirk == "life" {
					time.Sleep(15 * time.Minute)
					require.Empty(t, p.Subscriptions())
				}
			})
		})
	}
}

func TestAQuirkThatMakesNoSenseIsRefused(t *testing.T) {
	a := start(t, sandbox.Config{})
	for name, f := range map[string]sandbox.Fault{
		"it is unknown":          {Quirk: "none"},
		"it is no number":        {Quirk: "page_clamped", Value: json.RawMessage(`"x"`)},
		"it is no status":        {Quirk: "refused", Value: json.RawMessage(`"200"`)},
		"it is no duration":      {Quirk: "life", Value: json.RawMessage(`"x"`)},
		"it is no object":        {Quirk: "row_fields", Value: json.RawMessage(`[]`)},
		"it takes nothing":       {Quirk: "byte_order_mark", Value: json.RawMessage(`"x"`)},
		"it goes with no status": {Quirk: "byte_order_mark", Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.AddFault(f)
			require.ErrorIs(t, err, sandbox.ErrInvalid)
		})
	}
	for name, does := range decode[map[string]string](a.get("/sandbox/quirks")) {
		require.NotEmpty(t, name)
		require.False(t, strings.HasPrefix(does, ";"), name)
	}
}
