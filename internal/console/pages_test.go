package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyPage is each page that there is.
func everyPage() []string {
	return []string{
		"/", "/stuck", "/letters", "/letters?topic=inbox&state=any&since=6h", "/letters/replies/3/7", "/letters/inbox/3/7", "/letters/replies/3/404",
		"/find", "/find?q=conv-1", "/flow", "/flow?topic=contents",
	}
}

func TestEveryPageIsThereWithAndWithoutKafka(t *testing.T) {
	starting, connected := set(t), set(t)
	(&fakeData{text: customers}).connect(connected)
	for _, path := range everyPage() {
		for _, b := range []*bench{starting, connected} {
			whole := b.get(path)
			require.Equal(t, http.StatusOK, whole.code, path)
			require.Contains(t, whole.body, "</html>", path)
			require.Len(t, regexp.MustCompile(`<h1[ >]`).FindAllString(whole.body, -1), 1, path)
			part := b.get(path, "HX-Request", "true")
			require.Equal(t, http.StatusOK, part.code, path)
			require.NotContains(t, part.body, "<html", path)
		}
	}
	require.Contains(t, starting.get("/letters").body, "The process is starting")
	require.Equal(t, http.StatusNotFound, connected.get("/letters/elsewhere/1/2").code)
	require.Equal(t, http.StatusNotFound, connected.get("/letters/replies/x/2").code)
	require.Equal(t, http.StatusNotFound, connected.get("/nothing").code)
}

func TestNoPageRunsWhatItShows(t *testing.T) {
	b := set(t)
	(&fakeData{text: hostile}).connect(b)
	b.board.Set("kafka"+hostile, "unreachable "+hostile)
	for _, path := range append(everyPage(), "/letters/replies/3/500", "/find?q=%3Cscript%3Ealert(1)", "/letters?conversation=%22%3E%3Cscript%3Ealert(1)") {
		answer := b.get(path)
		require.NotContains(t, answer.body, "<script>", path)
		require.NotContains(t, answer.body, "style=", path)
		require.NotRegexp(t, `\son[a-z]+=`, answer.body, path)
		policy := answer.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'", path)
		require.Contains(t, policy, "script-src 'self';", path)
		require.NotContains(t, policy, "unsafe", path)
		require.Equal(t, "nosniff", answer.header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", answer.header.Get("Referrer-Policy"), path)
		require.Equal(t, "no-store", answer.header.Get("Cache-Control"), path)
	}
}

func TestEveryFileAPageLoadsIsInTheBinary(t *testing.T) {
	b := set(t)
	body := b.get("/").body
	files := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, files, 7)
	for _, file := range files {
		require.Regexp(t, `\?v=[0-9a-f]{12}$`, file[1])
		answer := b.get(strings.ReplaceAll(file[1], "&amp;", "&"))
		require.Equal(t, http.StatusOK, answer.code, file[1])
		require.Contains(t, answer.header.Get("Cache-Control"), "immutable")
	}
	require.NotRegexp(t, `(src|href|action)="(https?:)?//`, body, "nothing comes from elsewhere")
	require.Equal(t, http.StatusNotFound, b.get("/assets/").code)
	require.Equal(t, http.StatusNotFound, b.get("/assets/vendor/").code)
}

func TestMaskingHidesCustomersOnEveryPage(t *testing.T) {
	open, hidden := set(t), set(t, masked)
	for _, b := range []*bench{open, hidden} {
		(&fakeData{text: customers}).connect(b)
		b.get("/flow") // wakes the feed
		require.Eventually(t, func() bool { return strings.Contains(b.get("/flow").body, "content.imported 2") }, waitAtMost, poll)
	}
	seen := 0
	for _, path := range everyPage() {
		require.NotContains(t, hidden.get(path).body, customers, path)
		require.Contains(t, hidden.get(path).body, "text is masked", path)
		if strings.Contains(open.get(path).body, customers) {
			seen++
		}
	}
	require.Equal(t, 5, seen, "two letters, a search and the flow twice show it where it is not masked")
	require.NotContains(t, open.get("/").body, "text is masked")
}

func TestLettersArePagedAndFiltered(t *testing.T) {
	b := set(t)
	(&fakeData{}).connect(b)
	first := b.get("/letters?state=any&conversation=a%26b").body
	require.Contains(t, first, "250 letters")
	require.Contains(t, first, `href="/letters/replies/3/249"`)
	require.NotContains(t, first, `href="/letters/replies/3/149"`)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(first)[1]
	require.Contains(t, next, "conversation=a%26b")
	second := b.get(strings.ReplaceAll(next, "&amp;", "&")).body
	require.Contains(t, second, `href="/letters/replies/3/149"`)
	require.NotContains(t, second, `href="/letters/replies/3/249"`)
	require.Contains(t, second, ">Newest</a>")
	third := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(second)[1]
	require.NotContains(t, b.get(strings.ReplaceAll(third, "&amp;", "&")).body, `rel="next"`, "fifty are left")

	require.Contains(t, first, "240 forbidden")
	require.Contains(t, b.get("/letters?reason=expired").body, "10 letters")
	require.Contains(t, b.get("/letters?since=lunch").body, "90m, 6h or 3d")
}
