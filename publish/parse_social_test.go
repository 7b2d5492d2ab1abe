package publish_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/publish"
	"github.com/ringbridge/ringbridge/schemas"
)

// socialRow is a content with every field, in the names of 2025.
const socialRow = `{
	"id":"65f1a2b3c4d5e6f708091011","creationTime":"2026-03-01T11:00:00Z","lastModifiedTime":"2026-03-01T11:00:05Z",
	"authorIdentityId":"a1","creatorId":"823476228762","body":"<b>hi</b>","bodyFormatted":{"Text":"hi","Html":"<b>hi</b>"},"bodyInputFormat":"Html",
	"categoryIds":["k2","k1"],"contentDirection":"Outgoing","contextData":{"order":12},"createdFrom":"Api","firstInThread":false,
	"foreignCategories":["f"],"inReplyToContentId":"c0","inReplyToAuthorIdentityId":"a0","interventionId":"i1","identityGroupId":"g1",
	"language":"En","public":false,"published":true,"rating":3,"remotelyDeleted":false,"channelId":"s1","channelType":"WhatsApp","channelUri":null,
	"status":"UserReply","synchronizationStatus":"Success","synchronizationError":null,"threadId":"t1","title":"Order","type":"Message",
	"attachments":[{"id":"f1","creationTime":"2026-03-01T11:00:00Z","contentType":"image/png","filename":"a.png","size":12,"embedded":false,"public":true,"uri":"https://x/f1"}],
	"autoSubmitted":false,"capabilitiesSupported":[]}`

func TestASocialRowBecomesItsEvent(t *testing.T) {
	value, err := publish.NewState().Take(social("content", socialRow))
	require.NoError(t, err)
	const id = "65f1a2b3c4d5e6f708091011"
	require.Equal(t, &schemas.ContentEvent{
		EventID: publish.EventID("acme", schemas.ApiSocial, id, "content.replied", ""), EventType: "content.replied",
		OccurredAt: at(t, "2026-03-01T11:00:00Z"), ReceivedAt: received, Origin: schemas.OriginPoll, API: schemas.ApiSocial, Account: "acme",
		Content: schemas.Content{
			ID: id, SourceID: new("s1"), SourceType: new("WhatsApp"), ThreadID: new("t1"), InterventionID: new("i1"),
			InReplyToID: new("c0"), InReplyToAuthorID: new("a0"), AuthorID: new("a1"), CreatorID: new("823476228762"),
			Direction: schemas.DirectionOutbound, Status: new("user_reply"), Type: new("Message"), Language: new("En"), Title: new("Order"),
			Body: "<b>hi</b>", BodyFormat: schemas.BodyFormatHtml, Private: new(true), Published: new(true), RemotelyDeleted: new(false),
			Attachments: []schemas.Attachment{{ID: "f1", ContentType: new("image/png"), Filename: new("a.png"), Size: new(int64(12)), URL: new("https://x/f1")}},
			CategoryIds: []string{"k2", "k1"}, ForeignCategories: []string{"f"}, CreatedFrom: new("Api"),
			CreatedAt: new(at(t, "2026-03-01T11:00:00Z")), UpdatedAt: new(at(t, "2026-03-01T11:00:05Z")),
			SynchronizationStatus: new("Success"), ContextData: map[string]string{"order": "12"}, Rating: new(3),
		},
		Raw: new(socialRow),
	}, value)
}

func TestBothGenerationsOfNamesAreOneContent(t *testing.T) {
	old := strings.NewReplacer("channelId", "sourceId", "channelType", "sourceType", "channelUri", "sourceUri").Replace(socialRow)
	take := func(body string) schemas.Content {
		value, err := publish.NewState().Take(social("content", body))
		require.NoError(t, err)
		return value.(*schemas.ContentEvent).Content
	}
	require.Equal(t, take(socialRow), take(old))
	require.Equal(t, take(socialRow), take(strings.Replace(old, `"sourceId"`, `"channelId":null,"sourceId"`, 1)))
}

func TestSocialStatusesHaveTheNamesOfEngage(t *testing.T) {
	for status, want := range map[string]struct {
		status, first string
		direction     schemas.Direction
	}{
		"New":             {"new", "imported", "INBOUND"},
		"Assigned":        {"assigned", "imported", "INBOUND"},
		"Replied":         {"replied", "imported", "INBOUND"},
		"Ignored":         {"ignored", "imported", "INBOUND"},
		"UserReply":       {"user_reply", "replied", "OUTBOUND"},
		"UserInitiated":   {"user_initiated", "discussion_initiated", "OUTBOUND"},
		"PendingApproval": {"pending_approval", "imported", "OUTBOUND"},
		"new":             {"new", "imported", "INBOUND"},
	} {
		value, err := publish.NewState().Take(social("content", `{"id":"c1","status":"`+status+`"}`))
		require.NoError(t, err)
		event := value.(*schemas.ContentEvent)
		require.Equal(t, want.status, *event.Content.Status)
		require.Equal(t, "content."+want.first, event.EventType)
		require.Equal(t, want.direction, event.Content.Direction)
	}
}

func TestASocialRowNeedsOnlyItsID(t *testing.T) {
	value, err := publish.NewState().Take(social("content", `{"id":"c1"}`))
	require.NoError(t, err)
	c := value.(*schemas.ContentEvent).Content
	require.Nil(t, c.Private)
	require.Nil(t, c.Status)
	require.Empty(t, c.Body)
	read, err := publish.Read(social("content", `{"id":"c1","sourceId":{"x":1}}`))
	require.NoError(t, err)
	require.Equal(t, []string{"sourceId"}, read.Odd, "as the API calls it")
}

func TestASocialIdentityBecomesItsRecord(t *testing.T) {
	value, err := publish.NewState().Take(social("identity", `{
		"id":"i1","type":"WhatsApp","identityType":"Customer","displayName":"Ann B","screenName":"annb","firstName":"Ann","lastName":"B","emailAddress":"a@example.com",
		"homePhone":"1","mobilePhone":"2","company":"C","gender":"Woman","avatarUri":"https://x/a","identityGroupId":null,"userIds":["u1"],
		"uuid":"x","extraValues":{"n":1},"creationTime":"2026-01-01T00:00:00Z","lastModifiedTime":"2026-01-02T00:00:00Z"}`))
	require.NoError(t, err)
	require.Equal(t, &schemas.Identity{
		ID: "i1", API: schemas.ApiSocial, Account: "acme", Type: new("WhatsApp"), DisplayName: new("Ann B"), ScreenName: new("annb"),
		FirstName: new("Ann"), LastName: new("B"), Email: new("a@example.com"), HomePhone: new("1"), MobilePhone: new("2"), Company: new("C"),
		Gender: new("Woman"), AvatarURL: new("https://x/a"), UserIds: []string{"u1"},
		CreatedAt: new(at(t, "2026-01-01T00:00:00Z")), UpdatedAt: new(at(t, "2026-01-02T00:00:00Z")), Extra: map[string]string{"n": "1", "identityType": `"Customer"`, "uuid": `"x"`},
	}, value)
}

// socialNotice is the notification of a content event; the fields are those of
// the resource.
func socialNotice(uuid, event string, issued time.Time, fields string) schemas.Arrival {
	return notice(fmt.Sprintf(`{"uuid":%q,"event":"/cx/social-messaging/v1/contents/%s","timestamp":"2026-03-01T12:30:00Z","body":{"issuedAt":%q,"resource":{"id":"c1",%s}}}`,
		uuid, event, issued.Format(time.RFC3339Nano), fields))
}

func TestASocialNotificationBecomesItsEvent(t *testing.T) {
	arrival := socialNotice("u1", "Imported", received, `"threadId":"t1","authorIdentityId":"a1","body":"hi","channelId":"s1","channelType":"WhatsApp","hasAttachment":true,"status":"New","type":"Message"`)
	value, err := publish.NewState().Take(arrival)
	require.NoError(t, err)
	require.Equal(t, &schemas.ContentEvent{
		EventID: publish.EventID("acme", schemas.ApiSocial, "c1", "content.imported", ""), EventType: "content.imported",
		OccurredAt: received, ReceivedAt: received, Origin: schemas.OriginWebhook, API: schemas.ApiSocial, Account: "acme",
		Content: schemas.Content{
			ID: "c1", SourceID: new("s1"), SourceType: new("WhatsApp"), ThreadID: new("t1"), AuthorID: new("a1"), Direction: schemas.DirectionInbound,
			Status: new("new"), Type: new("Message"), Body: "hi", BodyFormat: schemas.BodyFormatText,
			Attachments: []schemas.Attachment{}, CategoryIds: []string{}, ForeignCategories: []string{}, ContextData: map[string]string{},
		},
		Raw: new(string(arrival.Body)),
	}, value)
}

func TestWhatIsPublishedOfASocialContent(t *testing.T) {
	const hi, ho, files = `"threadId":"t1","body":"hi"`, `"threadId":"t1","body":"ho"`, `,"attachments":[{"id":"f1"}]`
	hook := func(event string, second int, fields string) schemas.Arrival {
		return socialNotice(fmt.Sprint(event, second), event, received.Add(time.Duration(second)*time.Second), fields)
	}
	row := func(second int, fields string) schemas.Arrival {
		changed := received.Add(time.Duration(second) * time.Second).Format(time.RFC3339)
		return social("content", `{"id":"c1","creationTime":"2026-03-01T11:00:00Z","lastModifiedTime":"`+changed+`",`+fields+`}`)
	}
	for fact, c := range map[string]struct {
		arrivals []schemas.Arrival
		want     string
	}{
		"a notification again is a repetition":           {[]schemas.Arrival{hook("Imported", 0, hi), hook("Imported", 0, hi)}, "imported"},
		"a second import with another body is an update": {[]schemas.Arrival{hook("Imported", 0, hi), hook("Imported", 5, ho)}, "imported updated"},
		"a row of the same state completes it":           {[]schemas.Arrival{hook("Imported", 2, hi), row(0, hi)}, "imported updated"},
		"a notification after the row is a repetition":   {[]schemas.Arrival{row(0, hi), hook("Imported", 2, hi)}, "imported"},
		"a row completes what the notification left out": {[]schemas.Arrival{hook("Imported", 2, `"threadId":"t1"`), row(0, hi)}, "imported updated"},
		"also the files": {[]schemas.Arrival{hook("Imported", 2, hi+`,"hasAttachment":true`), row(0, hi+files), row(0, hi+files)}, "imported updated"},
		"a notification that leaves out is no change":         {[]schemas.Arrival{row(0, hi+files), hook("Imported", 60, `"threadId":"t1"`), row(0, hi+files)}, "imported"},
		"a changed row is an update":                          {[]schemas.Arrival{hook("Imported", 0, hi), row(1, hi), row(5, ho)}, "imported updated updated"},
		"an export for each of its notifications":             {[]schemas.Arrival{hook("DiscussionInitiated", 0, hi), hook("Exported", 1, hi), hook("Exported", 1, hi), hook("Exported", 2, hi)}, "discussion_initiated exported exported"},
		"a discussion is the row's first sight":               {[]schemas.Arrival{row(0, hi+`,"status":"UserInitiated"`), hook("DiscussionInitiated", 0, hi)}, "discussion_initiated"},
		"an exported reply whose row follows":                 {[]schemas.Arrival{hook("Exported", 0, hi), row(0, hi+`,"status":"UserReply"`)}, "exported replied"},
		"public is tracked as the inverse of private_message": {[]schemas.Arrival{row(0, hi+`,"public":true`), row(5, hi+`,"public":false`)}, "imported updated"},
	} {
		t.Run(fact, func(t *testing.T) {
			state := publish.NewState()
			take := func() string {
				var types []string
				for _, a := range c.arrivals {
					value, err := state.Take(a)
					require.NoError(t, err)
					if event, ok := value.(*schemas.ContentEvent); ok {
						types = append(types, strings.TrimPrefix(event.EventType, "content."))
					}
				}
				return strings.Join(types, " ")
			}
			require.Equal(t, c.want, take())
			require.Empty(t, take(), "a replay publishes nothing")
		})
	}
}
