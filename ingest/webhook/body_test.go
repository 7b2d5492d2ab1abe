package webhook_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// The forms of compression.
func gzipped(data string) string {
	return compressed(data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zlibbed(data string) string {
	return compressed(data, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func deflated(data string) string {
	return compressed(data, func(w io.Writer) io.WriteCloser {
		f, _ := flate.NewWriter(w, flate.BestCompression) // the level is valid
		return f
	})
}

func compressed(data string, by func(io.Writer) io.WriteCloser) string {
	var out bytes.Buffer
	w := by(&out)
	_, _ = io.WriteString(w, data) // into memory
	_ = w.Close()
	return out.String()
}

// units returns text in units of a width, the most or the least significant byte first.
func units(text string, width int, little bool) string {
	var out []byte
	var values []uint32
	if width == 2 {
		for _, u := range utf16.Encode([]rune(text)) {
			values = append(values, uint32(u))
		}
	} else {
		for _, r := range text {
			values = append(values, uint32(r))
		}
	}
	for _, v := range values {
		for i := range width {
			if !little {
				i = width - 1 - i
			}
			out = append(out, byte(v>>(8*i)))
		}
	}
	return string(out)
}

// one is an event, and request a request with it, whose text is beyond ASCII.
const (
	one     = `{"type":"content.imported","resource":{"id":"c","metadata":{"thread_id":"t","body":"café 😀"}}}`
	request = `{"events":[` + one + `]}`
	latin   = `{"type":"content.imported","resource":{"id":"c","metadata":{"thread_id":"t","body":"café déjà"}}}`
	other   = `{"type":"task.created","resource":{"id":"d"}}`
)

func latin1(text string) string {
	var out []byte
	for _, r := range text {
		out = append(out, byte(r))
	}
	return string(out)
}

func TestABodyIsReadInWhateverFormItComes(t *testing.T) {
	form := "token=x&payload=" + url.QueryEscape(request) + "&payload=" + url.QueryEscape(other)
	for fact, c := range map[string]struct {
		body, contentType, encoding string
		want                        []string // nil = one
		rest                        []string
	}{
		"gzip":                               {body: gzipped(request), encoding: "gzip"},
		"gzip in upper case":                 {body: gzipped(request), encoding: "GZIP"},
		"x-gzip":                             {body: gzipped(request), encoding: "x-gzip"},
		"gzip and identity":                  {body: gzipped(request), encoding: "gzip, identity"},
		"gzip in two members":                {body: gzipped(request[:20]) + gzipped(request[20:]), encoding: "gzip"},
		"gzip that nobody mentions":          {body: gzipped(request)},
		"zlib":                               {body: zlibbed(request), encoding: "deflate"},
		"bare deflate":                       {body: deflated(request), encoding: "Deflate"},
		"two layers":                         {body: gzipped(deflated(request)), encoding: "deflate, gzip"},
		"a header that a proxy left":         {body: request, encoding: "gzip"},
		"a character set for an encoding":    {body: request, encoding: "utf-8"},
		"Latin-1":                            {body: latin1(`{"events":[` + latin + `]}`), contentType: "application/json; charset=iso-8859-1", want: []string{latin}},
		"Latin-1 in quotes and upper case":   {body: latin1(`{"events":[` + latin + `]}`), contentType: `application/json;Charset="ISO-8859-1"`, want: []string{latin}},
		"Windows-1252":                       {body: strings.Replace(request, "café 😀", "10 \x80", 1), contentType: "application/json; charset=windows-1252", want: []string{strings.Replace(one, "café 😀", "10 €", 1)}},
		"called ASCII":                       {body: request, contentType: "application/json; charset=us-ascii"},
		"called UTF-8":                       {body: request, contentType: `application/json; charset="UTF-8"`},
		"an unknown character set":           {body: request, contentType: "application/json; charset=klingon"},
		"a set that would replace all":       {body: request, contentType: "application/json; charset=iso-2022-kr"},
		"called UTF-16 and none":             {body: request, contentType: "application/json; charset=utf-16"},
		"a byte order mark":                  {body: "\ufeff" + request},
		"UTF-16, little":                     {body: units(request, 2, true), contentType: "application/json; charset=utf-16le"},
		"UTF-16, big, which nobody mentions": {body: units(request, 2, false)},
		"UTF-16 with a mark, little":         {body: units("\ufeff"+request, 2, true), contentType: "application/json; charset=utf-8"},
		"UTF-16 with a mark, big":            {body: units("\ufeff"+request, 2, false), contentType: "application/json; charset=utf-16"},
		"UTF-16 with half a line end":        {body: units(request, 2, true) + "\n"},
		"UTF-32, little":                     {body: units(request, 4, true)},
		"UTF-32 with a mark, big":            {body: units("\ufeff"+request, 4, false)},
		"UTF-16, compressed":                 {body: gzipped(units(request, 2, true)), encoding: "gzip"},
		"zeros behind it":                    {body: request + "\x00\x00\x00"},
		"zeros and a line end behind it":     {body: request + "\x00\x00\n"},
		"text that is no UTF-8":              {body: strings.Replace(request, "é", "\xe9", 1), want: []string{strings.Replace(one, "é", "\xe9", 1)}},
		"a form":                             {body: form, contentType: "application/x-www-form-urlencoded", want: []string{one, other}},
		"a form in Latin-1":                  {body: "payload=" + url.QueryEscape(latin1(latin)), contentType: "application/x-www-form-urlencoded; charset=iso-8859-1", want: []string{latin}},
		"JSON that is called a form":         {body: request, contentType: "application/x-www-form-urlencoded"},
		"a bare event":                       {body: one},
		"an array of events":                 {body: "[" + one + "," + other + "]", want: []string{one, other}},
		"an array with something else":       {body: "[" + one + ", 7]", rest: []string{"7"}},
		"several requests":                   {body: request + `{"events":[` + other + `]}`, want: []string{one, other}},
		"several, a line each":               {body: one + "\r\n" + other + "\n", want: []string{one, other}},
		"a broken line between two":          {body: one + "\n{\"type\":\n" + other + "\n", want: []string{one, other}, rest: []string{`{"type":`}},
		"garbage behind it":                  {body: request + " garbage", rest: []string{"garbage"}},
		"a second request that is cut":       {body: request + `{"events":[{"ty`, rest: []string{`{"events":[{"ty`}},
		"two lists of events":                {body: `{"events":[` + one + `],"events":[` + other + `]}`, want: []string{one, other}},
		"two lists in other cases":           {body: `{"EVENTS":[` + one + `],"Events":null,"events":[` + other + `]}`, want: []string{one, other}},
		"a list and something else":          {body: `{"events":[` + one + `],"events":{"a":1}}`, rest: []string{`{"a":1}`}},
		"an event whose id stands twice":     {body: `{"events":[` + one + `,{"type":"x","resource":{"id":"a","ID":"b"}}]}`, rest: []string{`{"type":"x","resource":{"id":"a","ID":"b"}}`}},
		"an id that stands twice the same":   {body: `{"events":[{"type":"x","resource":{"id":"a","id":"a"}}]}`, want: []string{`{"type":"x","resource":{"id":"a","id":"a"}}`}},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox := &fakeInbox{}
			w := post(inbox, config(), strings.NewReader(c.body), headers(c.contentType, c.encoding))
			require.Equal(t, 200, w.Code)
			if c.want == nil {
				c.want = []string{one}
			}
			var got, rest []string
			for _, i := range inbox.items {
				got = append(got, string(i.Arrival.Body))
			}
			for _, r := range inbox.refused {
				rest = append(rest, string(r.Body))
				require.Empty(t, r.Headers, "it is read already")
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.rest, rest)
			require.Equal(t, "application/json", inbox.items[0].Arrival.ContentType)
		})
	}
}

// headers says in which form a body comes.
func headers(contentType, encoding string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", encoding)
	}
}

func TestABodyThatCannotBeReadIsALetterAsItCame(t *testing.T) {
	for fact, c := range map[string]struct{ body, encoding string }{
		"gzip that is cut":       {gzipped(request)[:40], "gzip"},
		"gzip with a wrong sum":  {gzipped(request)[:len(gzipped(request))-8] + "\x00\x00\x00\x00\x00\x00\x00\x00", "gzip"},
		"not gzip":               {"\x00\x01\x02", "gzip"},
		"not deflate":            {"\xff\xff\xff", "deflate"},
		"brotli":                 {"\x0b\x02\x80", "br"},
		"zstd":                   {"\x28\xb5\x2f\xfd", "zstd"},
		"three layers":           {gzipped(gzipped(gzipped(request))), "gzip, gzip, gzip"},
		"three that nobody says": {gzipped(gzipped(gzipped(request))), ""},
		"gzip of no JSON":        {gzipped("x"), "gzip"},
	} {
		for at, address := range map[string]func(*fakeInbox) int{
			"Engage": func(i *fakeInbox) int {
				return post(i, config(), strings.NewReader(c.body), headers("text/x", c.encoding)).Code
			},
			"the platform": func(i *fakeInbox) int {
				return notify(webhook.Deps{Inbox: i}, config(), strings.NewReader(c.body), headers("text/x", c.encoding)).Code
			},
		} {
			t.Run(fact+" at "+at, func(t *testing.T) {
				inbox := &fakeInbox{}
				require.Equal(t, 200, address(inbox))
				require.Empty(t, inbox.items)
				require.Len(t, inbox.refused, 1)
				require.Equal(t, c.body, string(inbox.refused[0].Body))
				require.Empty(t, inbox.refused[0].Reason, "undecodable")
				said := map[string]string{}
				for _, h := range inbox.refused[0].Headers {
					said[h.Name] = h.Value
				}
				require.Equal(t, "text/x", said[deadletter.HeaderContentType])
				require.Equal(t, c.encoding, said[deadletter.HeaderContentEncoding])
			})
		}
	}
}

func TestTheLimitHoldsForWhatIsDecompressed(t *testing.T) {
	bomb := gzipped(strings.Repeat(" ", 40<<20))
	cfg := config()
	cfg.MaxBody = 1 << 20
	for fact, c := range map[string]struct {
		body, encoding string
		want           int
	}{
		"the limit exactly":     {gzipped(padded(1 << 20)), "gzip", 200},
		"one byte more":         {gzipped(padded(1<<20 + 1)), "gzip", 413},
		"a bomb":                {bomb, "gzip", 413},
		"one nobody mentions":   {bomb, "", 413},
		"one within a layer":    {gzipped(bomb), "gzip, gzip", 413},
		"one in bare deflate":   {deflated(strings.Repeat(" ", 40<<20)), "deflate", 413},
		"one of nothing at all": {strings.Repeat(gzipped(""), 40_000), "gzip", 200},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox := &fakeInbox{}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			require.Equal(t, c.want, post(inbox, cfg, strings.NewReader(c.body), headers("", c.encoding)).Code)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
		})
	}
}

func TestSeveralNotificationsInARequest(t *testing.T) {
	const second = `{"uuid":"v","event":"/x"}`
	for fact, c := range map[string]struct {
		body, encoding string
		want, rest     []string
	}{
		"compressed":              {body: gzipped(hint), encoding: "gzip", want: []string{hint}},
		"one behind the other":    {body: hint + "\n" + second, want: []string{hint, second}},
		"in an array":             {body: "[" + hint + "," + second + "]", want: []string{hint, second}},
		"with garbage behind":     {body: second + "}", want: []string{second}, rest: []string{"}"}},
		"one whose body is twice": {body: second + `{"event":"/x","body":{"id":1},"Body":{"id":2}}`, want: []string{second}, rest: []string{`{"event":"/x","body":{"id":1},"Body":{"id":2}}`}},
	} {
		t.Run(fact, func(t *testing.T) {
			inbox := &fakeInbox{}
			require.Equal(t, 200, notify(webhook.Deps{Inbox: inbox}, config(), strings.NewReader(c.body), headers("", c.encoding)).Code)
			var got, rest []string
			for _, i := range inbox.items {
				got = append(got, string(i.Arrival.Body))
			}
			for _, r := range inbox.refused {
				rest = append(rest, string(r.Body))
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.rest, rest)
		})
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range []string{
		request, gzipped(request), zlibbed(request), deflated(request), units(request, 2, true), units(request, 4, false), latin1(latin),
		"payload=" + url.QueryEscape(request), one + "\n{\n" + other, "[" + one + ",7]", gzipped(gzipped(strings.Repeat(" ", 1<<20))),
	} {
		for _, encoding := range []string{"", "gzip", "deflate", "deflate, gzip", "br"} {
			f.Add([]byte(body), "application/json; charset=iso-8859-1", encoding)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, contentType, encoding string) {
		const limit = 1 << 16
		before := bytes.Clone(data)
		parts, err := webhook.Split(webhook.Body{Bytes: data, Type: contentType, Encoding: encoding}, limit)
		require.Equal(t, before, data, "what came is kept as it came")
		if err != nil {
			require.Empty(t, parts)
			return
		}
		total := 0
		for _, i := range parts.Items {
			total += len(i.Arrival.Body)
		}
		for _, r := range parts.Rest {
			require.NotEmpty(t, r.Body)
			total += len(r.Body)
		}
		require.NotEmpty(t, parts.Items)
		require.LessOrEqual(t, total, 3*max(limit, len(data)), "a character has three bytes of UTF-8 for one at most")
	})
}

func BenchmarkSplit(b *testing.B) {
	body := []byte(`{"events":[` + strings.Repeat(one+",", 99) + one + `]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webhook.Split(webhook.Body{Bytes: body}, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
