package ringcentral_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// listed returns what Engage's list reads of an answer.
func listed(t *testing.T, body string) (ringcentral.Page, error) {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	return engage(t, s.URL, ringcentral.Deps{}).Contents(t.Context(), ringcentral.ContentsQuery{})
}

func TestAPageIsReadInAllItsShapes(t *testing.T) {
	for fact, c := range map[string]struct {
		body                 string
		count, offset, limit int
		rows                 []string
	}{
		"as documented":                {`{"count":2,"offset":0,"limit":150,"records":[{"id":"a"},{"id":"b"}]}`, 2, 0, 150, []string{`{"id":"a"}`, `{"id":"b"}`}},
		"numbers as text":              {`{"count":"7","offset":" 3 ","limit":"150","records":[{"id":"a"}]}`, 7, 3, 150, []string{`{"id":"a"}`}},
		"numbers with a fraction":      {`{"count":7.0,"offset":3e0,"limit":"150.0","records":[{"id":"a"}]}`, 7, 3, 150, []string{`{"id":"a"}`}},
		"numbers that make no sense":   {`{"count":"many","offset":-1,"limit":{},"records":[{"id":"a"}]}`, 0, 0, 0, []string{`{"id":"a"}`}},
		"numbers beyond all bounds":    {`{"count":1e300,"offset":-1e300,"limit":1.5,"records":[]}`, 0, 0, 0, []string{}},
		"numbers of null":              {`{"count":null,"offset":null,"limit":null,"records":[]}`, 0, 0, 0, []string{}},
		"records of null":              {`{"count":0,"records":null}`, 0, 0, 0, []string{}},
		"no records":                   {`{"count":0,"offset":0,"limit":30}`, 0, 0, 30, []string{}},
		"no records behind the last":   {`{"count":5,"offset":"5"}`, 5, 5, 0, []string{}},
		"records by number":            {`{"count":3,"records":{"10":{"id":"c"},"0":{"id":"a"},"2":{"id":"b"}}}`, 3, 0, 0, []string{`{"id":"a"}`, `{"id":"b"}`, `{"id":"c"}`}},
		"an object without records":    {`{"count":0,"records":{}}`, 0, 0, 0, []string{}},
		"names in another case":        {`{"Count":1,"OFFSET":2,"Records":[{"id":"a"}]}`, 1, 2, 0, []string{`{"id":"a"}`}},
		"a byte order mark":            {"\xef\xbb\xbf" + `{"count":1,"records":[{"id":"a"}]}`, 1, 0, 0, []string{`{"id":"a"}`}},
		"rows that are no objects":     {`{"count":3,"records":[null,"a",{"id":"a"}]}`, 3, 0, 0, []string{`null`, `"a"`, `{"id":"a"}`}},
		"fields that nobody documents": {`{"status":200,"records":[{"id":"a"}]}`, 0, 0, 0, []string{`{"id":"a"}`}},
	} {
		t.Run(fact, func(t *testing.T) {
			page, err := listed(t, c.body)
			require.NoError(t, err)
			require.Equal(t, []int{c.count, c.offset, c.limit}, []int{page.Count, page.Offset, page.Limit})
			rows := []string{}
			for _, r := range page.Records {
				rows = append(rows, string(r))
			}
			require.Equal(t, c.rows, rows)
		})
	}
}

// An answer of another kind would mean that nothing happened.
func TestWhatIsNoListIsNotAnEmptyPage(t *testing.T) {
	for fact, body := range map[string]string{
		"nothing":                       ``,
		"null":                          `null`,
		"an object of another kind":     `{}`,
		"an error":                      `{"error":"maintenance","message":"later","status":200}`,
		"a list":                        `[]`,
		"a text":                        `"ok"`,
		"a page of a web site":          `<html></html>`,
		"cut":                           `{"count":1,"records":[{"id":"a"}`,
		"records of another type":       `{"count":0,"records":"none"}`,
		"one row in place of the list":  `{"count":1,"records":{"id":"a"}}`,
		"a count of rows without these": `{"count":5,"offset":0,"limit":30}`,
	} {
		t.Run(fact, func(t *testing.T) {
			_, err := listed(t, body)
			require.Equal(t, http.StatusOK, failure(t, err).Status)
		})
	}
}

func TestAKeysetPageIsReadInAllItsShapes(t *testing.T) {
	for fact, c := range map[string]struct {
		body    string
		perPage int
		next    string
		rows    int
	}{
		"numbers as text":            {`{"records":[{"id":"a"}],"paging":{"perPage":"100","nextPageToken":"t"}}`, 100, "t", 1},
		"a token that is a number":   {`{"records":[],"paging":{"perPage":100,"nextPageToken":20}}`, 100, "20", 0},
		"a token of null":            {`{"records":[],"paging":{"nextPageToken":null}}`, 0, "", 0},
		"a token of another type":    {`{"records":[],"paging":{"nextPageToken":{"a":1}}}`, 0, "", 0},
		"paging of null":             {`{"records":[{"id":"a"}],"paging":null}`, 0, "", 1},
		"paging of another type":     {`{"records":[{"id":"a"}],"paging":[]}`, 0, "", 1},
		"no paging":                  {`{"records":[{"id":"a"}]}`, 0, "", 1},
		"records of null":            {`{"records":null,"paging":{}}`, 0, "", 0},
		"no records":                 {`{"paging":{"perPage":100}}`, 100, "", 0},
		"names in another case":      {`{"RECORDS":[{"id":"a"}],"Paging":{"PerPage":5,"NextPageToken":"t"}}`, 5, "t", 1},
		"rows with odd fields":       {`{"records":[{"id":"a","status":7,"userIds":"x","lastModifiedTime":{}}]}`, 0, "", 1},
		"rows that are no objects":   {`{"records":[null,"a",7]}`, 0, "", 3},
		"a byte order mark before":   {"\xef\xbb\xbf" + `{"records":[{"id":"a"}]}`, 0, "", 1},
		"fields beyond the envelope": {`{"uri":"x","records":[{"id":"a"}],"navigation":{}}`, 0, "", 1},
	} {
		t.Run(fact, func(t *testing.T) {
			client := answering(c.body).client(t)
			page, err := client.Contents(t.Context(), ringcentral.SocialQuery{OrderBy: ringcentral.NewestModified})
			require.NoError(t, err)
			require.NotNil(t, page.Records)
			require.Len(t, page.Records, c.rows)
			require.Equal(t, c.perPage, page.PerPage)
			require.Equal(t, c.next, page.Next)
			_, err = client.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{})
			require.NoError(t, err)
		})
	}
	_, err := answering(`{"status":"ok"}`).client(t).Contents(t.Context(), ringcentral.SocialQuery{})
	require.ErrorContains(t, err, "without records")
}

func TestARefusedOrderIsRecognized(t *testing.T) {
	for fact, c := range map[string]struct {
		status int
		body   string
		order  bool
	}{
		"a parameter":         {400, `{"errorCode":"CMN-101","errors":[{"errorCode":"CMN-101","parameterName":"orderBy"}]}`, true},
		"an inefficient sort": {422, `{"errors":[{"errorCode":"EDI-036","message":"Inefficient sort"}]}`, true},
		"an invalid search":   {400, `{"errors":[{"errorCode":"EDI-028"}]}`, true},
		"an invalid order":    {400, `{"errors":[{"errorCode":"EDI-038"}]}`, true},
		"another parameter":   {400, `{"errorCode":"CMN-101","errors":[{"errorCode":"CMN-101","parameterName":"pageToken"}]}`, false},
		"an outage":           {503, `{"errors":[{"errorCode":"EDI-036"}]}`, false},
	} {
		t.Run(fact, func(t *testing.T) {
			p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}}
			client := p.client(t)
			_, err := client.Contents(t.Context(), ringcentral.SocialQuery{OrderBy: ringcentral.OldestModified})
			_, other := client.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{OrderBy: ringcentral.OldestModified})
			_, plain := client.Contents(t.Context(), ringcentral.SocialQuery{})
			require.NotErrorIs(t, plain, ringcentral.ErrOrderRefused)
			for _, err := range []error{err, other} {
				require.Equal(t, c.status, failure(t, err).Status)
				if c.order {
					require.ErrorIs(t, err, ringcentral.ErrOrderRefused)
				} else {
					require.NotErrorIs(t, err, ringcentral.ErrOrderRefused)
				}
			}
		})
	}
}
