package sandbox_test

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestPages(t *testing.T) {
	a := start(t, sandbox.Config{})
	_, err := a.Import(sandbox.Import{Count: 200})
	require.NoError(t, err)
	tests := map[string]struct {
		query                  string
		offset, limit, records int
	}{
		"thirty by default":           {"", 0, 30, 30},
		"at most 150":                 {"?limit=1000", 0, 150, 150},
		"the last page is short":      {"?limit=150&offset=150", 150, 150, 50},
		"beyond the end there's none": {"?offset=500", 500, 30, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := a.get("/1.0/contents" + test.query).page()
			require.Equal(t, 200, got.Count)
			require.Equal(t, test.offset, got.Offset)
			require.Equal(t, test.limit, got.Limit)
			require.Len(t, got.Records, test.records)
		})
	}
}

// TestPagesShift shows the trap of offset paging: a new row pushes known ones onto the next page, and is itself on a page that
// was read before.
func TestPagesShift(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	for n := range 6 {
		c.move(time.Second)
		a.incoming(sandbox.Import{Body: strconv.Itoa(n)})
	}
	require.Equal(t, []string{"5", "4", "3"}, a.list("limit", "3"))
	c.move(time.Second)
	a.incoming(sandbox.Import{Body: "new"})
	require.Equal(t, []string{"3", "2", "1"}, a.list("limit", "3", "offset", "3"), "3 is seen twice")
	require.Equal(t, []string{"new", "5", "4"}, a.list("limit", "3"))
}

func TestContentsOfOneSecondGoByID(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	for _, body := range []string{"1", "2", "3"} {
		a.incoming(sandbox.Import{Body: body})
	}
	require.Equal(t, []string{"3", "2", "1"}, a.list())
}

func TestLateImportHasOldDateAndNewID(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	a.incoming(sandbox.Import{Body: "on time"})
	c.move(time.Hour)
	late := a.incoming(sandbox.Import{Body: "late", CreatedAt: c.at.Add(-72 * time.Hour)})

	require.Equal(t, []string{"on time", "late"}, a.list(), "lists go by created_at")
	require.Equal(t, c.at.Add(-72*time.Hour).Truncate(time.Second), late.CreatedAt)
	require.Equal(t, c.at.Truncate(time.Second), late.UpdatedAt)
	raw, err := hex.DecodeString(late.ID)
	require.NoError(t, err)
	imported := int64(raw[0])<<24 | int64(raw[1])<<16 | int64(raw[2])<<8 | int64(raw[3])
	require.Equal(t, c.at.Unix(), imported)
}

func TestQuery(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	a.incoming(sandbox.Import{Body: "Where is my Order?", ThreadID: "t1", Author: "Ann", SourceID: "s1"})
	c.move(time.Second)
	a.incoming(sandbox.Import{Body: "thanks for the order", ThreadID: "t1", Author: "Ann"})
	c.move(time.Second)
	a.incoming(sandbox.Import{Body: "spam", ThreadID: "t2", AuthorID: "ben", Status: sandbox.StatusIgnored})
	c.move(time.Second)
	a.incoming(sandbox.Import{Body: "hello", ThreadID: "t3", Status: sandbox.StatusUserInitiated})
	first, second, third, fourth := "Where is my Order?", "thanks for the order", "spam", "hello"

	tests := map[string]struct {
		q    string
		want []string
	}{
		"nothing is everything, newest first":   {``, []string{fourth, third, second, first}},
		"a thread":                              {`thread:"t1"`, []string{second, first}},
		"without quotes":                        {`thread:t1`, []string{second, first}},
		"order stands inside q":                 {`thread:"t1" order:created_at.asc`, []string{first, second}},
		"a repeated keyword is an or":           {`thread:"t2" thread:"t3"`, []string{fourth, third}},
		"different keywords are an and":         {`thread:"t1" status_in:"ignored"`, nil},
		"statuses":                              {`status_in:"ignored" status_in:"user_initiated"`, []string{fourth, third}},
		"a minus negates":                       {`-thread:"t1"`, []string{fourth, third}},
		"an identity":                           {`identity:"ben"`, []string{third}},
		"a source":                              {`source:"s1"`, []string{second, first}},
		"bare words are the text, in any case":  {`order the`, []string{second}},
		"text in quotes may hold spaces":        {`text:"MY ORDER"`, []string{first}},
		"text is searched by word, not exactly": {`text:"order thanks"`, []string{second}},
		"an unknown value finds nothing":        {`thread:"none"`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, a.list("q", test.q))
		})
	}
	t.Run("order is a parameter of its own too", func(t *testing.T) {
		require.Equal(t, []string{first, second, third, fourth}, a.list("order", "created_at.asc"))
	})
}

func TestUndocumentedQueriesAreRefused(t *testing.T) {
	a := start(t, sandbox.Config{})
	for name, query := range map[string]string{
		"a filter by parent":    `q=in_reply_to:"x"`,
		"a filter by date":      `q=created_after:"2026-01-01T00:00:00Z"`,
		"an order by update":    `order=updated_at.desc`,
		"an order inside q":     `q=order:id.asc`,
		"a limit of nothing":    `limit=0`,
		"an offset below zero":  `offset=-1`,
		"an offset in words":    `offset=two`,
		"a bad order after all": `q=thread:"x"+order:created_at`,
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, http.StatusUnprocessableEntity, a.get("/1.0/contents?"+query).status)
		})
	}
}

func TestIndexLagHidesFromListsOnly(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{IndexLag: 3 * time.Second}, sandbox.Deps{Now: c.now})
	parent := a.incoming(sandbox.Import{Body: "question"})
	require.Equal(t, 200, a.get("/1.0/contents/"+parent.ID).status)
	require.Empty(t, a.list())
	c.move(2 * time.Second)
	made := a.reply(parent, "answer").content()
	c.move(time.Second)
	require.Equal(t, []string{"question"}, a.list("q", `thread:"`+made.ThreadID+`"`))
	c.move(2 * time.Second)
	require.Equal(t, []string{"answer", "question"}, a.list("q", `thread:"`+made.ThreadID+`"`))
}

func TestEditRaisesUpdatedAtAndKeepsThePlace(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	old := a.incoming(sandbox.Import{Body: "old"})
	c.move(time.Minute)
	a.incoming(sandbox.Import{Body: "newer"})
	c.move(time.Minute)
	body := "edited"
	got, err := a.Edit(old.ID, sandbox.Edit{Body: &body})
	require.NoError(t, err)
	require.Equal(t, old.CreatedAt, got.CreatedAt)
	require.Equal(t, c.at.Truncate(time.Second), got.UpdatedAt)
	require.Equal(t, []string{"newer", "edited"}, a.list())

	_, err = a.Edit("none", sandbox.Edit{})
	require.ErrorIs(t, err, sandbox.ErrNotFound)
}

func TestThreads(t *testing.T) {
	a := start(t, sandbox.Config{})
	c := a.incoming(sandbox.Import{Body: "My title\nand more"})
	a.incoming(sandbox.Import{ThreadID: c.ThreadID})
	got := a.get("/1.0/content_threads/" + c.ThreadID)
	require.Equal(t, 200, got.status)
	require.Contains(t, string(got.body), `"title":"My title"`)
	require.Contains(t, string(got.body), `"contents_count":2,"closed":false`)
	require.Equal(t, 404, a.get("/1.0/content_threads/none").status)
}
