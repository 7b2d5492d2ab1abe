package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const customer = "+16505550199"

// sent is the message of an answer.
func sent(a answer) sandbox.Message {
	a.t.Helper()
	return decode[sandbox.Message](a)
}

func (p *platform) store(id int64, method, body string) answer {
	p.t.Helper()
	return p.call(method, messagesPath+"/"+strconv.FormatInt(id, 10), body)
}

func TestSentTextLooksAsRecorded(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{DeliveredAfter: -1}, sandbox.Deps{})
	got := p.text(customer, "hello")
	made := sent(got)
	want := keysOf(t, sample("rc_sms_send_response"))
	require.Subset(t, keysOf(t, string(got.body)), want)
	require.NotContains(t, keysOf(t, string(got.body)), "conversation", "the number is all there is")
	require.Equal(t, sandbox.MessageQueued, made.MessageStatus)
	require.Equal(t, sandbox.Unread, made.ReadStatus)

	got = p.store(made.ID, http.MethodGet, "")
	require.Subset(t, keysOf(t, string(got.body)), without(keysOf(t, sample("rc_message_get_sms")), "to.location"))
	require.Equal(t, sandbox.Read, sent(got).ReadStatus, "no longer what the answer said")
	require.Equal(t, sandbox.MessageSent, sent(got).MessageStatus)
	require.Equal(t, fmt.Sprint(made.ID), p.Calls()[1].MessageID)
	require.Equal(t, []string{customer}, p.Calls()[1].To)
}

func TestConversationIsBeyondAFloat(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	one, same := sent(p.text(customer, "1")), sent(p.text(customer, "2"))
	back := p.importMessage(sandbox.MessageImport{From: customer})
	other := sent(p.text("+16505550111", "3"))
	require.Equal(t, one.ConversationID, same.ConversationID)
	require.Equal(t, one.ConversationID, back.ConversationID, "both directions are one conversation")
	require.NotEqual(t, one.ConversationID, other.ConversationID)
	require.NotEqual(t, one.ConversationID, int64(float64(one.ConversationID)))
	require.Equal(t, strconv.FormatInt(back.ConversationID, 10), back.Conversation.ID)
}

func TestTextIsRefused(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{SMSPerMinute: -1}, sandbox.Deps{})
	text := func(from, to, text string) string {
		return `{"from":{"phoneNumber":"` + from + `"},"to":[` + to + `],"text":"` + text + `"}`
	}
	one := `{"phoneNumber":"` + customer + `"}`
	for name, test := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"a number of others":             {text("+19995550100", one, "x"), 400, "MSG-245"},
		"a number that cannot send":      {text("+18665550101", one, "x"), 403, "MSG-304"},
		"no recipient":                   {text(sandbox.DefaultNumber, "", "x"), 400, "CMN-101"},
		"a recipient that is no number":  {text(sandbox.DefaultNumber, `{"phoneNumber":"Ann"}`, "x"), 400, "CMN-101"},
		"too many recipients":            {text(sandbox.DefaultNumber, strings.Repeat(one+",", 10)+one, "x"), 400, "MSG-381"},
		"no text":                        {text(sandbox.DefaultNumber, one, ""), 400, "CMN-101"},
		"a text of 1001 units":           {text(sandbox.DefaultNumber, one, strings.Repeat("a", 1001)), 400, "CMN-101"},
		"501 characters of two units":    {text(sandbox.DefaultNumber, one, strings.Repeat("😀", 501)), 400, "CMN-101"},
		"500 characters of two units go": {text(sandbox.DefaultNumber, one, strings.Repeat("😀", 500)), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.call(http.MethodPost, user+"/sms", test.body)
			require.Equal(t, test.status, got.status, string(got.body))
			if test.code != "" {
				require.Equal(t, test.code, got.code())
			}
		})
	}
	require.Len(t, p.Messages(), 1)
	require.Equal(t, 404, p.call(http.MethodPost, "/restapi/v1.0/account/~/extension/1/sms", text(sandbox.DefaultNumber, one, "x")).status,
		"an administrator cannot send for others")
}

// mms sends files of the given sizes.
func (p *platform) mms(sizes ...int) answer {
	p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	add := func(header map[string]string, data []byte) {
		h := textproto.MIMEHeader{}
		for name, v := range header {
			h.Set(name, v)
		}
		part, err := form.CreatePart(h)
		require.NoError(p.t, err)
		_, err = part.Write(data)
		require.NoError(p.t, err)
	}
	add(map[string]string{"Content-Type": "application/json"},
		[]byte(`{"from":{"phoneNumber":"`+sandbox.DefaultNumber+`"},"to":[{"phoneNumber":"`+customer+`"}],"text":"see"}`))
	for i, size := range sizes {
		add(map[string]string{
			"Content-Type": "image/png", "Content-Disposition": fmt.Sprintf(`attachment; filename="%d.png"`, i),
		}, make([]byte, size))
	}
	require.NoError(p.t, form.Close())
	got, err := p.do(http.MethodPost, base+user+"/sms", "multipart/mixed; boundary="+form.Boundary(), body.String())
	require.NoError(p.t, err)
	return got
}

func TestMMS(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{MediaURL: "https://media.invalid", DeliveredAfter: -1}, sandbox.Deps{})
	made := sent(p.mms(13))
	got := p.store(made.ID, http.MethodGet, "")
	var m struct{ Attachments []sandbox.MessageFile }
	require.NoError(t, json.Unmarshal(got.body, &m))
	require.Len(t, m.Attachments, 2, "the text is one of them")
	require.Equal(t, "Text", m.Attachments[0].Type)
	require.True(t, strings.HasPrefix(m.Attachments[0].URI, base+"/"))
	image := m.Attachments[1]
	require.Equal(t, []any{"MmsAttachment", "image/png", "0.png", 13}, []any{image.Type, image.ContentType, image.FileName, image.Size})
	require.True(t, strings.HasPrefix(image.URI, "https://media.invalid/"), "another host")

	path := strings.TrimPrefix(image.URI, "https://media.invalid")
	file := p.call(http.MethodGet, path+"?contentDisposition=Attachment", "")
	require.Len(t, file.body, 13)
	require.Equal(t, "image/png", file.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename=0.png`, file.header.Get("Content-Disposition"))
	require.Equal(t, "see", string(p.call(http.MethodGet, strings.TrimPrefix(m.Attachments[0].URI, base), "").body))
	require.Equal(t, 404, p.call(http.MethodGet, path+"0", "").status)
	p.token = ""
	require.Equal(t, 401, p.call(http.MethodGet, path, "").status, "wants the token")
}

func TestMMSLimits(t *testing.T) {
	for name, test := range map[string]struct {
		sizes  []int
		status int
	}{
		"ten files":                  {make([]int, 10), 200},
		"eleven files":               {make([]int, 11), 400},
		"1,500,000 bytes":            {[]int{1_000_000, 500_000}, 200},
		"one byte more, of them all": {[]int{1_000_000, 500_001}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.status, loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{}).mms(test.sizes...).status)
		})
	}
}

func TestFortyTextsAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
		for n := range 40 {
			require.Equal(t, 200, p.text(customer, fmt.Sprint(n)).status)
		}
		got := p.text(customer, "one too many")
		require.Equal(t, 429, got.status)
		require.Equal(t, "MSG-305", got.code())
		require.Len(t, p.Messages(), 40)
		time.Sleep(time.Minute)
		require.Equal(t, 200, p.text(customer, "41").status)
		require.Zero(t, p.Offenders(), "it is no group's window")
	})
}

func TestStatusesOverTime(t *testing.T) {
	tests := map[string]struct {
		cfg  sandbox.PlatformConfig
		want []string
		code string
	}{
		"to the receiver":  {sandbox.PlatformConfig{}, []string{"Queued", "Sent", "Delivered"}, ""},
		"not delivered":    {sandbox.PlatformConfig{DeliveryFailures: 1}, []string{"Queued", "Sent", "DeliveryFailed"}, "SMS-CAR-430"},
		"not even sent":    {sandbox.PlatformConfig{SendingFailures: 1}, []string{"Queued", "SendingFailed", "SendingFailed"}, "SMS-RC-410"},
		"stuck on its way": {sandbox.PlatformConfig{DeliveredAfter: -1}, []string{"Queued", "Sent", "Sent"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.cfg.SentAfter = time.Second
				if test.cfg.DeliveredAfter == 0 {
					test.cfg.DeliveredAfter = time.Minute
				}
				p := loggedIn(t, test.cfg, sandbox.Deps{})
				made := sent(p.text(customer, "hello"))
				var got []string
				var last sandbox.Message
				for _, wait := range []time.Duration{0, time.Second, time.Minute} {
					time.Sleep(wait)
					synctest.Wait()
					var err error
					last, err = p.Message(made.ID)
					require.NoError(t, err)
					got = append(got, last.MessageStatus)
				}
				require.Equal(t, test.want, got)
				require.Equal(t, test.code, last.DeliveryErrorCode)
			})
		})
	}
}

func TestEditedStatusStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loggedIn(t, sandbox.PlatformConfig{SentAfter: time.Minute}, sandbox.Deps{})
		made := sent(p.text(customer, "hello"))
		_, err := p.EditMessage(made.ID, sandbox.MessageEdit{Status: sandbox.MessageDeliveryFailed, ErrorCode: "SMS-UP-1"})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		synctest.Wait()
		got, err := p.Message(made.ID)
		require.NoError(t, err)
		require.Equal(t, sandbox.MessageDeliveryFailed, got.MessageStatus)
	})
}

func TestGroupTellsEachStatus(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	body := `{"from":{"phoneNumber":"` + sandbox.DefaultNumber + `"},"to":[{"phoneNumber":"+1650555001"},{"phoneNumber":"+1650555002"}],"text":"x"}`
	made := sent(p.call(http.MethodPost, user+"/sms", body))
	got, err := p.Message(made.ID)
	require.NoError(t, err)
	require.Equal(t, sandbox.MessageDelivered, got.To[1].MessageStatus)
}

func without(keys []string, unwanted ...string) []string {
	var out []string
	for _, k := range keys {
		keep := true
		for _, u := range unwanted {
			keep = keep && k != u
		}
		if keep {
			out = append(out, k)
		}
	}
	return out
}
