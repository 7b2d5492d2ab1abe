package ringcentral_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestEveryStatusIsJudged(t *testing.T) {
	var status int
	e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
		return answered(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"id":"c1","error":"an_identifier","message":"An explanation","status":`+strconv.Itoa(status)+`}`)
		}, r), nil
	})}})
	for status = 200; status < 600; status++ {
		_, err := e.CreateContent(t.Context(), reply())
		if status < 300 {
			require.NoError(t, err, status)
			continue
		}
		want := ringcentral.Unknown
		if status >= 400 && status < 500 && status != 408 {
			want = ringcentral.Refused
		}
		got := failure(t, err)
		require.Equal(t, ringcentral.Error{
			Op: "create_content", Status: status, Code: "an_identifier", Message: "An explanation", Outcome: want,
		}, *got)
		require.EqualError(t, err, "ringcentral: create_content: status "+strconv.Itoa(status)+": an_identifier: An explanation")
	}
}

func TestBodiesOfErrorsAreSurvived(t *testing.T) {
	for fact, c := range map[string]struct{ body, code, message string }{
		"no JSON":            {"<html>Bad Gateway</html>", "", "the answer is no JSON object"},
		"nothing":            {"", "", "the answer is no JSON object"},
		"another shape":      {`["a"]`, "", "the answer is no JSON object"},
		"other types":        {`{"error":{"code":1},"message":["a"],"status":"422"}`, "", ""},
		"no bound":           {`{"error":"e","message":"` + strings.Repeat("x", 1<<20) + `"}`, "", "the answer is no JSON object"},
		"a long explanation": {`{"error":"` + strings.Repeat("e", 200) + `","message":"` + strings.Repeat("é", 200) + `"}`, strings.Repeat("e", 100), strings.Repeat("é", 150)},
		"line breaks":        {`{"error":"e","message":" a\nb\u001b[31m\u0000c "}`, "e", "a b [31m c"},
	} {
		t.Run(fact, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := engage(t, s.URL, ringcentral.Deps{}).CreateContent(t.Context(), reply())
			got := failure(t, err)
			require.Equal(t, ringcentral.Refused, got.Outcome)
			require.Equal(t, c.code, got.Code)
			require.Equal(t, c.message, got.Message)
		})
	}
}

func TestASuccessThatCannotBeReadMayHaveHappened(t *testing.T) {
	for fact, body := range map[string]string{
		"no JSON":     "<html>Welcome to the hotel's network</html>",
		"nothing":     "",
		"no object":   `[]`,
		"no id":       `{}`,
		"an empty id": `{"id":""}`,
		"cut":         `{"id":"c1"`,
		"too large":   `{"id":"` + strings.Repeat("x", 16<<20) + `"}`,
	} {
		t.Run(fact, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
			created, err := engage(t, s.URL, ringcentral.Deps{}).CreateContent(t.Context(), reply())
			require.Nil(t, created)
			got := failure(t, err)
			require.Equal(t, ringcentral.Unknown, got.Outcome)
			require.Equal(t, http.StatusOK, got.Status)
			require.NotContains(t, err.Error(), "hotel")
			if fact == "too large" {
				require.ErrorContains(t, err, "larger than 16777216 bytes")
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		e := engage(t, s.URL, ringcentral.Deps{})
		_, err := e.CreateContent(t.Context(), reply())
		require.Equal(t, status, failure(t, err).Status)
		_, err = e.Content(t.Context(), "c1")
		require.Equal(t, status, failure(t, err).Status)
	}
}
