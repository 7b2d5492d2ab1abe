package sandbox_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const (
	queueID     = "400131426777"
	queueNumber = "+12095550177"
)

func withQueue() sandbox.PlatformConfig {
	return sandbox.PlatformConfig{
		CallQueues: []sandbox.CallQueue{{ID: queueID, Name: "Support"}},
		Numbers: []sandbox.Number{
			{PhoneNumber: sandbox.DefaultNumber, Features: []string{"SmsSender"}},
			{PhoneNumber: queueNumber, Features: []string{"SmsSender"}, Extension: queueID},
		},
	}
}

// TestTextsOfACallQueueAreInItsStore has one text of the user's and one of a queue's, and looks
// where they show.
func TestTextsOfACallQueueAreInItsStore(t *testing.T) {
	p := loggedIn(t, withQueue(), sandbox.Deps{})
	own := p.importMessage(sandbox.MessageImport{})
	queued := p.importMessage(sandbox.MessageImport{To: queueNumber})
	queueStore := "/restapi/v1.0/account/~/extension/" + queueID + "/message-store"
	queueSync := "/restapi/v1.0/account/~/extension/" + queueID + "/message-sync"
	for name, test := range map[string]struct {
		path string
		want []int64
	}{
		"the user's store has the user's":   {messagesPath, []int64{own.ID}},
		"as personal ones, too":             {messagesPath + "?owner=Personal", []int64{own.ID}},
		"any owner's are both":              {messagesPath + "?owner=Any", []int64{queued.ID, own.ID}},
		"the queue's, named":                {messagesPath + "?owner=" + queueID, []int64{queued.ID}},
		"those of both, named":              {messagesPath + "?owner=Personal&owner=" + queueID, []int64{queued.ID, own.ID}},
		"those of queues":                   {messagesPath + "?owner=Any&ownerExtensionType=Department", []int64{queued.ID}},
		"nothing of users in the queue's":   {messagesPath + "?owner=" + queueID + "&ownerExtensionType=User", nil},
		"the queue's store has the queue's": {queueStore, []int64{queued.ID}},
		"the user's sync has the user's":    {syncPath + "?syncType=FSync", []int64{own.ID}},
		"the queue's sync has the queue's":  {queueSync + "?syncType=FSync", []int64{queued.ID}},
		"the user's sync, for any owner":    {syncPath + "?syncType=FSync&owner=Any", []int64{queued.ID, own.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int64
			for _, m := range decode[struct{ Records []sandbox.Message }](p.call(http.MethodGet, test.path, "")).Records {
				got = append(got, m.ID)
			}
			require.Equal(t, test.want, got)
		})
	}
	require.Equal(t, &sandbox.Owner{ExtensionID: queueID, ExtensionType: "Department", Name: "Support"}, queued.Owner)
	require.Contains(t, queued.URI, "/extension/"+queueID+"/")
	require.Nil(t, own.Owner)
	require.Equal(t, 404, p.call(http.MethodGet, "/restapi/v1.0/account/~/extension/1/message-store", "").status)
}

func TestTheOwnerOfATextSentIsThatOfTheNumber(t *testing.T) {
	p := loggedIn(t, withQueue(), sandbox.Deps{})
	got := decode[sandbox.Message](p.call(http.MethodPost, user+"/sms", `{"from":{"phoneNumber":"`+queueNumber+`"},"to":[{"phoneNumber":"+14155550101"}],"text":"t"}`))
	require.Equal(t, queueID, got.Owner.ExtensionID)
	numbers := decode[struct {
		Records []struct{ Extension struct{ ID, Type string } }
	}](p.call(http.MethodGet, user+"/phone-number", "")).Records
	require.Empty(t, numbers[0].Extension.ID)
	require.Equal(t, queueID, numbers[1].Extension.ID)
	require.Equal(t, 200, p.call(http.MethodGet, messagesPath+"/"+strconv.FormatInt(got.ID, 10), "").status, "by its id the user sees it")
}

// TestOfACallQueueItsOwnSubscriptionsAreNotified has a subscription to the user's store and one to
// the queue's.
func TestOfACallQueueItsOwnSubscriptionsAreNotified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listener
		filter := "/restapi/v1.0/account/~/extension/" + queueID + "/message-store/instant?type=SMS"
		p, _ := subscribed(t, &l, withQueue(), instantFilter)
		p.importMessage(sandbox.MessageImport{To: queueNumber})
		synctest.Wait()
		require.Empty(t, l.received())
		p.subscribe("", filter)
		p.importMessage(sandbox.MessageImport{To: queueNumber})
		synctest.Wait()
		require.Len(t, l.received(), 1)
		require.Contains(t, string(l.received()[0].Body), `"owner":{"extensionId":"`+queueID+`","extensionType":"Department"`)
	})
}
