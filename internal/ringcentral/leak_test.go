package ringcentral_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const (
	customersWords = "My card number is 4111 1111 1111 1111, please pay"
	customersName  = "customer-55221144"
	customersTitle = "1234567"
)

// Every call is made to fail in every way, by an API that throws everything it was told back at us.
func TestNeitherTheTokenNorTheTextLeaks(t *testing.T) {
	echo := `"Bearer ` + token + ` said ` + customersTitle + `: ` + customersWords + ` to ` + customersName + `"`
	for fact, answer := range map[string]string{
		"refused":    "HTTP/1.1 422 No\r\nConnection: close\r\n\r\n" + `{"error":` + echo + `,"message":` + echo + `,"errors":[` + echo + `]}`,
		"quoted":     "HTTP/1.1 422 No\r\nConnection: close\r\n\r\n" + `{"message":"the body «` + customersWords[3:40] + `» is too long"}`,
		"broken":     "HTTP/1.1 502 No\r\nConnection: close\r\n\r\n" + echo,
		"unreadable": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + echo,
		"no HTTP":    echo + "\r\n\r\n",
		"bad header": "HTTP/1.1 200 OK\r\nBad Header " + echo + "\r\n\r\n",
		"bad status": "HTTP/1.1 " + echo + "\r\n\r\n",
		"redirect":   "HTTP/1.1 307 There\r\nLocation: http://" + token + ".example/" + customersName + "\r\nConnection: close\r\n\r\n",
		"nothing":    "",
	} {
		t.Run(fact, func(t *testing.T) {
			var log bytes.Buffer
			base := listen(t, func(c net.Conn) {
				readRequest(c)
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			})
			e := engage(t, base, ringcentral.Deps{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			title := customersTitle
			for op, call := range map[string]struct {
				err     error
				private []string
			}{
				"form": {
					second(e.CreateContent(t.Context(), ringcentral.CreateContent{Body: customersWords, Title: &title, To: []string{customersName}})),
					[]string{"4111 1111", "card number", customersName, customersTitle},
				},
				"JSON": {
					second(e.CreateContent(t.Context(), ringcentral.CreateContent{
						Title: &title, StructuredContent: []byte(`{"text":"` + customersWords + `","to":"` + customersName + `"}`),
					})),
					[]string{"4111 1111", "card number", customersName, customersTitle},
				},
				"handover": {e.Handover(t.Context(), ringcentral.Handover{IdentityForeignID: customersName}), []string{customersName}},
				"search": {
					second(e.Contents(t.Context(), ringcentral.ContentsQuery{Q: customersWords + " " + customersName})),
					[]string{"4111 1111", "card number", customersName},
				},
				"get": {second(e.Identity(t.Context(), "i1")), nil},
			} {
				require.Error(t, call.err, op)
				for _, private := range append(call.private, token) {
					require.NotContains(t, call.err.Error(), private, op)
				}
			}
			require.NotContains(t, log.String(), token)
			require.NotContains(t, log.String(), base, "an address may hold a customer's id")
			require.Equal(t, 5, strings.Count(log.String(), "\n"), "one line a call")
		})
	}
}

func second[T any](_ T, err error) error { return err }
