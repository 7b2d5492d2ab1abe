package ringcentral_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// The client against the simulated APIs: each system that no test of a stage reaches through to the sandbox.

// simulated is a client of each API, of one sandbox.
func simulated(t *testing.T, contentsPath string) (*sandbox.Server, *ringcentral.Engage, *ringcentral.Platform) {
	t.Helper()
	box := sandbox.New(sandbox.Config{Platform: sandbox.PlatformConfig{Limits: map[sandbox.RateGroup]int{
		sandbox.GroupLight: -1, sandbox.GroupMedium: -1, sandbox.GroupHeavy: -1,
	}}}, sandbox.Deps{})
	deps := ringcentral.Deps{HTTP: &http.Client{Transport: sandbox.Transport{Handler: box.Handler()}}}
	e := ringcentral.NewEngage(ringcentral.EngageConfig{BaseURL: "http://sandbox/1.0", AccessToken: sandbox.DefaultToken}, deps)
	p := ringcentral.NewPlatform(ringcentral.PlatformConfig{
		ServerURL: "http://sandbox", ClientID: sandbox.DefaultClientID, ClientSecret: sandbox.DefaultClientSecret, JWT: sandbox.DefaultJWT,
		ContentsPath: contentsPath,
	}, deps)
	t.Cleanup(func() {
		e.Close()
		p.Close()
		box.Close()
	})
	return box, e, p
}

func ids(records []json.RawMessage) []string {
	var ids []string
	for _, r := range records {
		ids = append(ids, ringcentral.ID(r))
	}
	return ids
}

func TestEngageContentsOnTheSandbox(t *testing.T) {
	box, e, _ := simulated(t, "")
	made, err := box.Import(sandbox.Import{Count: 3})
	require.NoError(t, err)

	page, err := e.Contents(t.Context(), ringcentral.ContentsQuery{Order: ringcentral.OrderAsc, Offset: 1, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{made[1].ID}, ids(page.Records))
	require.Equal(t, 3, page.Count)
	page, err = e.Contents(t.Context(), ringcentral.ContentsQuery{Q: ringcentral.Keyword("thread", made[2].ThreadID)})
	require.NoError(t, err)
	require.Equal(t, []string{made[2].ID}, ids(page.Records))
	one, err := e.Content(t.Context(), made[0].ID)
	require.NoError(t, err)
	require.Equal(t, made[0].ID, ringcentral.ID(one))

	answer, err := e.CreateContent(t.Context(), ringcentral.CreateContent{Body: "hello", InReplyToID: &made[0].ID})
	require.NoError(t, err)
	written, ok := box.Content(ringcentral.ID(answer))
	require.True(t, ok)
	require.Equal(t, made[0].ThreadID, written.ThreadID)

	identities, err := e.Identities(t.Context(), ringcentral.IdentitiesQuery{})
	require.NoError(t, err)
	require.Contains(t, ids(identities.Records), made[0].AuthorID)
	identity, err := e.Identity(t.Context(), made[0].AuthorID)
	require.NoError(t, err)
	require.Equal(t, made[0].AuthorID, ringcentral.ID(identity))
}

func TestHandoverBothWaysOnTheSandbox(t *testing.T) {
	box, e, _ := simulated(t, "")
	made, err := box.Import(sandbox.Import{})
	require.NoError(t, err)
	box.PutIdentity(sandbox.Identity{ID: made[0].AuthorID, ForeignID: "f1"})
	agent, err := box.Engage(made[0].AuthorID)
	require.NoError(t, err)
	toAgent := ringcentral.Handover{From: "BOT", To: "AGENT", Type: "messenger", IdentityForeignID: "f1"}
	toBot := ringcentral.Handover{From: "AGENT", To: "BOT", Type: "messenger", IdentityForeignID: "f1"}

	require.NoError(t, e.Handover(t.Context(), toAgent))
	require.Equal(t, ringcentral.Refused, failure(t, e.Handover(t.Context(), toBot)).Outcome, "an agent is at it")
	require.NoError(t, box.Disengage(agent.ID))
	require.NoError(t, e.Handover(t.Context(), toBot))
}

func TestSocialContentsOnTheSandbox(t *testing.T) {
	for _, path := range []string{ringcentral.SocialMessaging, ringcentral.AdvancedMessaging} {
		t.Run(path, func(t *testing.T) {
			box, _, p := simulated(t, path)
			made, err := box.Platform().ImportContents(sandbox.SocialImport{Count: 3})
			require.NoError(t, err)

			first, err := p.Contents(t.Context(), ringcentral.SocialQuery{OrderBy: ringcentral.OldestCreated, PerPage: 2})
			require.NoError(t, err)
			require.Equal(t, []string{made[0].ID, made[1].ID}, ids(first.Records))
			last, err := p.Contents(t.Context(), ringcentral.SocialQuery{OrderBy: ringcentral.OldestCreated, PerPage: 2, PageToken: first.Next})
			require.NoError(t, err)
			require.Equal(t, []string{made[2].ID}, ids(last.Records))
			filtered, err := p.Contents(t.Context(), ringcentral.SocialQuery{ThreadIDs: []string{made[1].ThreadID}})
			require.NoError(t, err)
			require.Equal(t, []string{made[1].ID}, ids(filtered.Records))
			one, err := p.Content(t.Context(), made[0].ID)
			require.NoError(t, err)
			require.Equal(t, made[0].ID, ringcentral.ID(one))

			answer, err := p.CreateContent(t.Context(), ringcentral.CreateContent{Body: "hello", InReplyToID: &made[0].ID})
			require.NoError(t, err)
			written, err := box.Platform().Content(ringcentral.ID(answer))
			require.NoError(t, err)
			require.Equal(t, made[0].ThreadID, written.ThreadID)

			identities, err := p.Identities(t.Context(), ringcentral.SocialIdentitiesQuery{})
			require.NoError(t, err)
			require.Contains(t, ids(identities.Records), made[0].AuthorIdentityID)
			identity, err := p.Identity(t.Context(), made[0].AuthorIdentityID)
			require.NoError(t, err)
			require.Equal(t, made[0].AuthorIdentityID, ringcentral.ID(identity))
		})
	}
}

func TestTheMessageStoreOnTheSandbox(t *testing.T) {
	box, _, p := simulated(t, ringcentral.ContentsOff)
	numbers, err := p.PhoneNumbers(t.Context())
	require.NoError(t, err)
	require.True(t, numbers[0].SendsSMS())
	out := ringcentral.TextMessage{From: numbers[0].PhoneNumber, To: []string{"+15550100"}, Text: "hello"}
	sent, err := p.SendSMS(t.Context(), out)
	require.NoError(t, err)
	out.Attachments = []ringcentral.File{{Filename: "a.png", ContentType: "image/png", Content: []byte("png")}}
	picture, err := p.SendMMS(t.Context(), out)
	require.NoError(t, err)

	list, err := p.Messages(t.Context(), ringcentral.MessagesQuery{})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{ringcentral.ID(sent), ringcentral.ID(picture)}, ids(list.Records))
	sync, err := p.SyncMessages(t.Context(), ringcentral.SyncQuery{From: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, sync.Records, 2)

	id := ringcentral.ID(sent)
	read, err := p.UpdateMessage(t.Context(), id, ringcentral.MessageChange{ReadStatus: "Read"})
	require.NoError(t, err)
	require.Contains(t, string(read), `"readStatus":"Read"`)
	require.NoError(t, p.DeleteMessage(t.Context(), id, false))
	one, err := p.Message(t.Context(), id)
	require.NoError(t, err)
	require.Contains(t, string(one), `"availability":"Deleted"`)
	_, err = p.UpdateMessage(t.Context(), id, ringcentral.MessageChange{Restore: true})
	require.NoError(t, err)
	require.Equal(t, sandbox.AvailabilityAlive, box.Platform().Messages()[0].Availability)

	var message struct{ Attachments []struct{ URI string } }
	require.NoError(t, json.Unmarshal(picture, &message))
	var file bytes.Buffer
	require.Len(t, message.Attachments, 2, "the text is one of them")
	_, err = p.Attachment(t.Context(), message.Attachments[1].URI, &file, 1000)
	require.NoError(t, err)
	require.Equal(t, "png", file.String())
}
