package ringcentral_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/samples"
)

// sample returns a recorded or documented answer.
func sample(name string) string { return string(samples.Get(name)) }

func sampled(t *testing.T, name string) *ringcentral.Platform {
	t.Helper()
	return answering(sample(name)).client(t)
}

func TestSampledMessagesAreHandedThroughAsReceived(t *testing.T) {
	for name, id := range map[string]string{
		"rc_message_get_sms": "402406155008", "rc_message_get_mms": "403038404008", "rc_message_get_pager": "", "rc_message_get_voicemail": "",
		"rc_message_put_read_status": "402412194008", "rc_sms_send_response": "315450330010",
	} {
		raw, err := sampled(t, name).Message(t.Context(), "1")
		require.NoError(t, err, name)
		require.Equal(t, sample(name), string(raw))
		require.NotEmpty(t, ringcentral.ID(raw), name)
		if id != "" && name != "rc_message_get_sms" {
			require.Equal(t, id, ringcentral.ID(raw))
		}
	}
}

func TestSampledListsAndSyncsAreRead(t *testing.T) {
	for name, count := range map[string]int{"rc_message_store_list_sms_inbound": 1, "rc_message_store_list_voicemail": 2} {
		page, err := sampled(t, name).Messages(t.Context(), ringcentral.MessagesQuery{})
		require.NoError(t, err, name)
		require.Len(t, page.Records, count, name)
		require.Empty(t, page.Next, "the last page says so by silence")
	}
	for name, want := range map[string]ringcentral.SyncAnswer{
		"rc_message_sync_fsync_sms":           {Token: "AQEAAAAAAwAAAVEa8k3QBgAAAAIFAAABURrz6VoTAQgAAABdN_yWgAkBCgGwXNsj", Time: time.Date(2015, 11, 18, 14, 16, 11, 354e6, time.UTC)},
		"rc_message_sync_isync_sms":           {Token: "AQEAAAAAAwAAAVEa8jJ4BgAAAAIFAAABURsEhnsTAQgAAABdN_yWgAkBCgG87FJ6", Time: time.Date(2015, 11, 18, 14, 28, 54, 35e6, time.UTC)},
		"rc_message_sync_fsync_voicemail_doc": {Token: "AAAAAv8AAAE1sc6UAP_______________wAAATlo9mWw", Time: time.Date(2012, 8, 27, 16, 42, 22, 0, time.UTC)},
	} {
		answer, err := sampled(t, name).SyncMessages(t.Context(), ringcentral.SyncQuery{From: time.Unix(0, 0)})
		require.NoError(t, err, name)
		require.NotEmpty(t, answer.Records)
		answer.Records = nil
		require.Equal(t, want, answer, name)
	}
}

func TestSampledNumbersTellWhatTheyCanSend(t *testing.T) {
	for name, want := range map[string]struct{ all, sms, mms int }{
		"rc_extension_phone_numbers_no_sms": {3, 0, 0}, "rc_mock_extension_phone_numbers_sms": {5, 5, 5},
	} {
		numbers, err := sampled(t, name).PhoneNumbers(t.Context())
		require.NoError(t, err, name)
		require.Len(t, numbers, want.all)
		sms, mms := 0, 0
		for _, n := range numbers {
			if n.SendsSMS() {
				sms++
			}
			if n.SendsMMS() {
				mms++
			}
		}
		require.Equal(t, [2]int{want.sms, want.mms}, [2]int{sms, mms}, name)
	}
}

func TestSampledSubscriptionsAreRead(t *testing.T) {
	list, err := sampled(t, "rc_subscription_list").Subscriptions(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, "WebHook", list[2].DeliveryMode.TransportType)

	for name, id := range map[string]string{
		"rc_subscription_get": "60ce3d67-9104-478c-bcb3-768d93c0151c", "rc_subscription_create_webhook_response": "dd2f0ff2-580e-4581-a277-76f9c9a54bc9",
		"rc_subscription_renew": "2391578d-cb19-45dc-b3cd-9553ac428d24", "rc_subscription_update": "2391578d-cb19-45dc-b3cd-9553ac428d24",
	} {
		s, err := sampled(t, name).Subscription(t.Context(), "x")
		require.NoError(t, err, name)
		require.Equal(t, id, s.ID)
		require.Equal(t, ringcentral.SubscriptionActive, s.Status)
		require.False(t, s.ExpirationTime.IsZero())
	}
}

func TestTheSampledTokenLivesAsItSays(t *testing.T) {
	p := &platform{auth: func(w http.ResponseWriter, _ asked, _ int) bool {
		_, _ = io.WriteString(w, sample("rc_oauth_token_response"))
		return true
	}}
	require.NoError(t, p.client(t).Authenticate(t.Context()))
}

func TestBothShapesOfErrorsAreRead(t *testing.T) {
	for fact, c := range map[string]struct{ body, code, message string }{
		"a sampled one":                     {sample("rc_error_sub_524"), "SUB-524", "HTTPS certificate is not valid"},
		"the list alone":                    {`{"errors":[{"errorCode":"CMN-102","message":"not found","parameterName":"messageId"}]}`, "CMN-102", "not found"},
		"the top alone":                     {`{"errorCode":"CMN-102","message":"not found"}`, "CMN-102", "not found"},
		"a top that differs from the list":  {`{"errorCode":"InvalidParameter","message":"a","errors":[{"errorCode":"CMN-101","message":"b"}]}`, "CMN-101", "b"},
		"a list without a documented code":  {`{"errorCode":"CMN-101","message":"a","errors":[{"errorCode":"InvalidParameter","message":"b"}]}`, "CMN-101", "b"},
		"none that is documented":           {`{"errorCode":"InvalidParameter","message":"a"}`, "InvalidParameter", "a"},
		"OAuth's":                           {`{"error":"invalid_grant","error_description":"gone"}`, "invalid_grant", "gone"},
		"a list of another shape":           {`{"errorCode":"CMN-101","message":"a","errors":"many"}`, "CMN-101", "a"},
		"codes of another type":             {`{"errorCode":101,"message":["a"],"errors":[{"errorCode":{}}]}`, "", ""},
		"no JSON":                           {`<html>Bad Gateway</html>`, "", "the answer is no JSON object"},
		"nothing":                           {``, "", "the answer is no JSON object"},
		"an explanation that repeats words": {`{"errorCode":"CMN-101","message":"the text «parcel is on its way» is bad"}`, "CMN-101", "the text «[…]» is bad"},
	} {
		t.Run(fact, func(t *testing.T) {
			p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, c.body)
			}}
			_, err := p.client(t).SendSMS(t.Context(), text())
			require.Equal(t, ringcentral.Error{
				Op: "send_sms", Status: 400, Code: c.code, Message: c.message, Outcome: ringcentral.Refused,
			}, *failure(t, err))
		})
	}
}

func TestEveryStatusOfThePlatformIsJudged(t *testing.T) {
	for status := 200; status < 600; status++ {
		if status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
			continue // renewed, and held: see their own tests
		}
		p := &platform{answer: func(w http.ResponseWriter, _ asked, _ int) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"id":1,"errorCode":"CMN-1","message":"m"}`)
		}}
		_, err := p.client(t).SendSMS(t.Context(), text())
		if status < 300 {
			require.NoError(t, err, status)
			continue
		}
		want := ringcentral.Unknown
		if status >= 400 && status < 500 && status != 408 {
			want = ringcentral.Refused
		}
		require.Equal(t, want, failure(t, err).Outcome, status)
	}
}

func TestSampledAnswersOfEngageAreRead(t *testing.T) {
	e, _ := recorder(t, sample("ed_list_envelope"))
	page, err := e.Contents(t.Context(), ringcentral.ContentsQuery{})
	require.NoError(t, err)
	require.Equal(t, ringcentral.Page{Count: 4320, Offset: 90, Limit: 30, Records: []json.RawMessage{json.RawMessage("{}"), json.RawMessage("{}")}}, page)

	e, _ = recorder(t, sample("ed_content_create_response_doc"))
	made, err := e.CreateContent(t.Context(), reply())
	require.NoError(t, err)
	require.Equal(t, sample("ed_content_create_response_doc"), string(made))

	e, _ = recorder(t, sample("ed_bots_handover_success"))
	require.NoError(t, e.Handover(t.Context(), ringcentral.Handover{From: "bot", To: "agent", Type: "messenger", IdentityForeignID: "f"}))
}

func TestSampledErrorsOfEngageAreRead(t *testing.T) {
	for name, want := range map[string]ringcentral.Error{
		"ed_error_generic":                     {Status: 400, Code: "Error identifier", Message: "A text message that describes the error"},
		"ed_error_rate_limit":                  {Status: 429, Code: "rate_limit_exceeded", Message: "Rate limit exceeded"},
		"ed_error_cant_reply_to_closed_thread": {Status: 403, Code: "cant_reply_to_closed_thread", Message: "Can't reply to closed thread"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(want.Status)
				_, _ = io.WriteString(w, sample(name))
			})
			_, err := engage(t, s.URL, ringcentral.Deps{}).CreateContent(t.Context(), reply())
			got := failure(t, err)
			want.Op, want.Outcome, want.RetryAfter = "create_content", ringcentral.Refused, got.RetryAfter
			require.Equal(t, want, *got)
		})
	}
}
