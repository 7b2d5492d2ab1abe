package sandbox_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func decode[T any](a answer) T {
	a.t.Helper()
	require.Contains(a.t, []int{200, 201}, a.status, string(a.body))
	var v T
	require.NoError(a.t, json.Unmarshal(a.body, &v))
	return v
}

// TestControlSurface walks through it as a test in another process would.
func TestControlSurface(t *testing.T) {
	a := start(t, sandbox.Config{})
	made := decode[[]sandbox.Content](a.postJSON("/sandbox/contents", `{"author":"Ann","count":3,"webhook":false}`))
	require.Len(t, made, 3)
	require.NotEqual(t, made[0].ThreadID, made[1].ThreadID)
	require.Equal(t, made[0].AuthorID, made[1].AuthorID)

	require.Equal(t, 200, a.postJSON("/sandbox/contents/"+made[0].ID, `{"body":"edited","status":"ignored"}`).status)
	edited, _ := a.Content(made[0].ID)
	require.Equal(t, sandbox.Optional("edited"), edited.Body)

	require.Equal(t, 200, a.postJSON("/sandbox/threads/"+made[0].ThreadID+"/close", "").status)
	require.Equal(t, 403, a.reply(made[0], "x").status)
	require.Equal(t, 200, a.postJSON("/sandbox/threads/"+made[0].ThreadID+"/open", "").status)

	i := decode[sandbox.Intervention](a.postJSON("/sandbox/interventions", `{"identity_id":"`+made[0].AuthorID+`"}`))
	require.Equal(t, 200, a.postJSON("/sandbox/interventions/"+i.ID+"/close", "").status)

	require.Equal(t, 200, a.postJSON("/sandbox/faults", `{"status":500,"delay":"1ms","times":1,"body":"oops"}`).status)
	got := a.reply(made[0], "x")
	require.Equal(t, 500, got.status)
	require.Equal(t, "oops", string(got.body))
	require.Equal(t, 1, decode[[]sandbox.Fault](a.get("/sandbox/faults"))[0].Hits)
	require.Equal(t, 200, a.reply(made[0], "sent").status)

	calls := decode[struct {
		Calls    []sandbox.Call
		Counters map[string]int
	}](a.get("/sandbox/calls?since=2"))
	require.Len(t, calls.Calls, 1, "the control surface is not logged")
	require.Equal(t, "sent", calls.Calls[0].Body)
	require.Equal(t, 1, calls.Counters["POST /1.0/contents 403"])
	require.Len(t, decode[[]sandbox.Content](a.get("/sandbox/contents")), 4)

	got, err := a.do(http.MethodDelete, base+"/sandbox", "", "")
	require.NoError(t, err)
	require.Equal(t, 200, got.status)
	require.Empty(t, a.Contents())
}

func TestControlRefuses(t *testing.T) {
	a := start(t, sandbox.Config{})
	for name, test := range map[string]struct {
		path, body string
		status     int
	}{
		"a misspelt field":         {"/sandbox/contents", `{"boddy":"x"}`, 400},
		"no JSON":                  {"/sandbox/faults", `hang`, 400},
		"an unknown thread":        {"/sandbox/threads/none/close", ``, 404},
		"an unknown content":       {"/sandbox/contents/none", `{}`, 404},
		"an unknown status":        {"/sandbox/contents", `{"status":"odd"}`, 400},
		"an unknown parent":        {"/sandbox/contents", `{"in_reply_to_id":"none"}`, 400},
		"a webhook to nowhere":     {"/sandbox/webhook", `{"url":"nowhere"}`, 400},
		"a handshake into the air": {"/sandbox/webhook", `{"url":"http://127.0.0.1:1/"}`, 502},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.status, a.postJSON(test.path, test.body).status)
		})
	}
}

func TestDeliveryIsChangedAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver{token: "v"}
		a := startHooked(t, &r, sandbox.Config{})
		require.Equal(t, 200, a.postJSON("/sandbox/webhook", `{"url":"http://bridge/","secret":"s","verify_token":"v"}`).status)
		require.Equal(t, 200, a.postJSON("/sandbox/delivery", `{"loss_rate":1,"buffer":"5s"}`).status)
		a.incoming(sandbox.Import{})
		got := decode[struct {
			Active   bool
			Delivery sandbox.Delivery
			Counters sandbox.DeliveryCounts
		}](a.get("/sandbox/delivery"))
		require.True(t, got.Active)
		require.InDelta(t, 1, got.Delivery.LossRate, 0)
		require.Equal(t, 1, got.Counters.Lost)
	})
}

func TestImportAgainIsTheSameContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r receiver
		a := startHooked(t, &r, sandbox.Config{})
		first := a.incoming(sandbox.Import{Body: "one"})
		again := a.incoming(sandbox.Import{ID: first.ID, Body: "two"})
		synctest.Wait()
		require.Equal(t, first.ID, again.ID)
		require.Equal(t, []string{"two"}, a.list())
		require.Len(t, r.requests, 2)
		require.NotEqual(t, r.requests[0].Events[0].ID, r.requests[1].Events[0].ID)
	})
}

func TestAgentsRepliesAreNotTheAPIs(t *testing.T) {
	a := start(t, sandbox.Config{})
	parent := a.incoming(sandbox.Import{})
	got := a.incoming(sandbox.Import{InReplyToID: parent.ID, Status: sandbox.StatusUserReply, CreatorID: "agent-7"})
	require.Equal(t, sandbox.CreatedFromInterface, got.CreatedFrom)
	require.Equal(t, sandbox.Optional("agent-7"), got.CreatorID)
	require.Equal(t, parent.ThreadID, got.ThreadID)
	require.NotEqual(t, parent.AuthorID, got.AuthorID)
}

func TestAttachments(t *testing.T) {
	a := start(t, sandbox.Config{})
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "note.txt")
	require.NoError(t, err)
	_, err = part.Write([]byte("hello"))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	got, err := a.do(http.MethodPost, base+"/1.0/attachments", form.FormDataContentType(), body.String())
	require.NoError(t, err)
	file := decode[sandbox.Attachment](got)
	require.Equal(t, 5, file.Size)
	require.Equal(t, "hello", string(a.get("/attachments/"+file.ID).body))

	reply := a.post("/1.0/contents", "in_reply_to_id", a.incoming(sandbox.Import{}).ID, "body", "see", "attachment_ids[]", file.ID)
	require.Equal(t, "note.txt", reply.content().Attachments[0].Filename)
	require.Equal(t, 422, a.post("/1.0/attachments").status)
}

func TestJournal(t *testing.T) {
	a := start(t, sandbox.Config{})
	made := a.reply(a.incoming(sandbox.Import{}), "x").content()
	q := form("q", `name_in:"content.replied" content_thread:"`+made.ThreadID+`" user:"`+a.UserID()+`" order:created_at.asc`)
	got := decode[struct {
		Records []sandbox.JournalEntry
	}](a.get("/1.0/events?" + q.Encode()))
	require.Len(t, got.Records, 1)
	require.Equal(t, made.ID, got.Records[0].ExtraInfos["content_id"])
	require.Equal(t, 422, a.get("/1.0/events?q=created_after:yesterday").status)
}
