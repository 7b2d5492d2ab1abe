package ringcentral_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

func TestThePlatformsSettingsNameEveryFaultAndNoValue(t *testing.T) {
	good := ringcentral.PlatformConfig{
		ServerURL: "https://platform.example", ClientID: "app", ClientSecret: "hush", JWT: "hush", ContentsPath: ringcentral.SocialMessaging, SMSRate: 40,
	}
	const server, id, secret, key, path, rate = "RINGCENTRAL_SERVER_URL:", "RINGCENTRAL_CLIENT_ID:", "RINGCENTRAL_CLIENT_SECRET:", "RINGCENTRAL_JWT:",
		"RINGCENTRAL_CONTENTS_PATH:", "SMS_RATE:"
	for fact, c := range map[string]struct {
		change func(*ringcentral.PlatformConfig)
		want   []string
	}{
		"complete":               {func(*ringcentral.PlatformConfig) {}, nil},
		"a slash at the end":     {func(c *ringcentral.PlatformConfig) { c.ServerURL += "/" }, nil},
		"off":                    {func(c *ringcentral.PlatformConfig) { c.ClientID, c.ClientSecret, c.JWT, c.ServerURL = "", "", "", "" }, nil},
		"without contents":       {func(c *ringcentral.PlatformConfig) { c.ContentsPath = ringcentral.ContentsOff }, nil},
		"half a client":          {func(c *ringcentral.PlatformConfig) { c.ClientID = "" }, []string{secret, key}},
		"a client without them":  {func(c *ringcentral.PlatformConfig) { c.ClientSecret, c.JWT = "", "" }, []string{secret, key}},
		"a line break":           {func(c *ringcentral.PlatformConfig) { c.JWT = "hush\n" }, []string{key}},
		"an id with a colon":     {func(c *ringcentral.PlatformConfig) { c.ClientID = "hush:hush" }, []string{id}},
		"a server of no kind":    {func(c *ringcentral.PlatformConfig) { c.ServerURL = "ftp://hush" }, []string{server}},
		"credentials in it":      {func(c *ringcentral.PlatformConfig) { c.ServerURL = "https://u:hush@x" }, []string{server}},
		"a path in it":           {func(c *ringcentral.PlatformConfig) { c.ServerURL = "https://x/restapi" }, []string{server}},
		"another contents' path": {func(c *ringcentral.PlatformConfig) { c.ContentsPath = "/hush" }, []string{path}},
		"all at once": {func(c *ringcentral.PlatformConfig) {
			*c = ringcentral.PlatformConfig{ClientID: "hush hush", SMSRate: -1, ServerURL: "hush"}
		}, []string{server, id, secret, key, path, rate}},
	} {
		t.Run(fact, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			for _, name := range c.want {
				require.ErrorContains(t, err, name)
			}
			require.NotContains(t, err.Error(), "hush")
		})
	}
	require.NotContains(t, fmt.Sprintf("%+v %#v", good, good), "hush")
	require.True(t, good.Contents())
	require.False(t, ringcentral.PlatformConfig{ContentsPath: ringcentral.SocialMessaging}.Contents())
	require.True(t, ringcentral.PlatformConfig{ServerURL: "http://platform.example"}.PlainText())
}

// Every call is made to fail by a platform that throws everything it was told back at us, the token endpoint too.
func TestThePlatformsSecretsLeakNowhere(t *testing.T) {
	const refresh = "refresh-1"
	basic := base64.StdEncoding.EncodeToString([]byte("app:" + clientSecret))
	echo := strings.Join([]string{"access-1", refresh, clientSecret, jwt, basic, customersWords, customersName, verification}, " and ")
	for fact, body := range map[string]string{
		"explained": `{"errorCode":"` + echo + `","message":"` + echo + `","errors":[{"errorCode":"` + echo + `","message":"` + echo + `"}]}`,
		"as OAuth":  `{"error":"` + echo + `","error_description":"` + echo + `"}`,
		"as text":   echo,
	} {
		for _, status := range []int{200, 307, 400, 422, 500} {
			t.Run(fmt.Sprint(fact, status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log bytes.Buffer
					failing := func(w http.ResponseWriter) {
						w.Header().Set("Location", "http://"+clientSecret+".example/"+customersName)
						w.WriteHeader(status)
						_, _ = io.WriteString(w, body)
					}
					p := &platform{refreshes: true, answer: func(w http.ResponseWriter, _ asked, _ int) { failing(w) }}
					p.auth = func(w http.ResponseWriter, _ asked, n int) bool {
						if n > 1 && status < 500 {
							failing(w)
							return true
						}
						return false
					}
					c := p.client(t, func(_ *ringcentral.PlatformConfig, d *ringcentral.Deps) {
						d.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					})
					require.NoError(t, c.Authenticate(t.Context()))
					m := ringcentral.TextMessage{From: "+1", To: []string{customersName}, Text: customersWords}
					withFile := m
					withFile.Attachments = picture().Attachments
					parent := "p"
					for op, err := range map[string]error{
						"create":    second(c.CreateContent(t.Context(), ringcentral.CreateContent{Body: customersWords, InReplyToID: &parent, To: []string{customersName}})),
						"contents":  second(c.Contents(t.Context(), ringcentral.SocialQuery{Text: []string{customersWords}})),
						"sms":       second(c.SendSMS(t.Context(), m)),
						"mms":       second(c.SendMMS(t.Context(), withFile)),
						"messages":  second(c.Messages(t.Context(), ringcentral.MessagesQuery{PhoneNumber: customersName})),
						"subscribe": second(c.Subscribe(t.Context(), ringcentral.NewSubscription{EventFilters: []string{"f"}, Address: "https://a.example", VerificationToken: verification})),
						"sync":      second(c.SyncMessages(t.Context(), ringcentral.SyncQuery{Token: "t"})),
					} {
						require.Error(t, err, op)
						private := []string{"access-1", refresh, clientSecret, jwt, basic}
						switch op {
						case "subscribe":
							private = append(private, verification)
						case "create", "sms", "mms":
							private = append(private, customersName, "4111 1111")
						}
						for _, secret := range private {
							require.NotContains(t, err.Error(), secret, op)
						}
					}
					p.revoke()
					err := second(c.Message(t.Context(), "1"))
					require.Error(t, err)
					for _, secret := range []string{"access-1", refresh, clientSecret, jwt, basic, "platform.example"} {
						require.NotContains(t, err.Error(), secret)
						require.NotContains(t, log.String(), secret)
					}
				})
			})
		}
	}
}

func TestThePlatformsSeriesAreThereFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	p := answering(`{"id":1,"records":[]}`)
	c := p.client(t, func(_ *ringcentral.PlatformConfig, d *ringcentral.Deps) { d.Registerer = reg })
	const series = 22 * 11
	n, err := testutil.GatherAndCount(reg, "ringbridge_api_requests_total")
	require.NoError(t, err)
	require.Equal(t, series, n)
	for _, err := range []error{
		second(c.Contents(t.Context(), ringcentral.SocialQuery{})), second(c.Content(t.Context(), "1")), second(c.CreateContent(t.Context(), reply())),
		second(c.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{})), second(c.Identity(t.Context(), "1")),
		second(c.SendSMS(t.Context(), text())), second(c.SendMMS(t.Context(), picture())),
		second(c.Messages(t.Context(), ringcentral.MessagesQuery{})), second(c.Message(t.Context(), "1")),
		second(c.UpdateMessage(t.Context(), "1", ringcentral.MessageChange{ReadStatus: "Read"})),
		second(c.UpdateMessage(t.Context(), "1", ringcentral.MessageChange{Restore: true})), c.DeleteMessage(t.Context(), "1", false),
		second(c.PhoneNumbers(t.Context())), second(c.Attachment(t.Context(), "/a", io.Discard, 100)), second(c.Subscriptions(t.Context())),
	} {
		require.NoError(t, err)
	}
	n, err = testutil.GatherAndCount(reg, "ringbridge_api_requests_total")
	require.NoError(t, err)
	require.Equal(t, series, n, "and no call adds one")
}

func TestAClientThatIsClosedAuthenticatesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platform{auth: func(w http.ResponseWriter, _ asked, _ int) bool { w.WriteHeader(500); return true }}
		c := p.client(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, c.Authenticate(ctx))
		c.Close() // in the pause before the second try
		require.Len(t, p.auths, 1)
		err := c.Authenticate(t.Context())
		require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
		require.Len(t, p.auths, 1)
	})
}

// A message whose fate is unknown has to be looked for before it is sent again; one that the platform refuses was not sent.
func ExamplePlatform_SendSMS() {
	p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errorCode":"MSG-245","message":"The sender's number is not the user's","errors":[{"errorCode":"MSG-245","message":"The sender's number is not the user's"}]}`)
	}}
	c := ringcentral.NewPlatform(ringcentral.PlatformConfig{
		ServerURL: "https://platform.ringcentral.com", ClientID: "app", ClientSecret: clientSecret, JWT: jwt,
		ContentsPath: ringcentral.SocialMessaging, SMSRate: 40,
	}, ringcentral.Deps{HTTP: &http.Client{Transport: p}})
	defer c.Close()

	ctx := ringcentral.WithStartDeadline(context.Background(), time.Now().Add(time.Minute))
	_, err := c.SendSMS(ctx, ringcentral.TextMessage{From: "+15550100", To: []string{"+15550111"}, Text: "On its way."})
	if failure, ok := errors.AsType[*ringcentral.Error](err); ok {
		fmt.Println(failure.Outcome, failure.Code)
	}
	// Output:
	// refused MSG-245
}
