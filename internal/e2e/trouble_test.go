//go:build real

package e2e_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	letterReasons = 4
	perReason     = 50
	stuckNumber   = "+15551230099"
	stuckText     = "Is anybody there?"
)

// A troubled world is one account on a bad night: two hundred letters of four
// reasons, then one conversation stuck, Engage down, and a subscription that was
// blacklisted and cannot be made anew.
type troubledWorld struct {
	*world

	public  string
	parents []sandbox.Content
}

func newTroubledWorld(t *testing.T) troubledWorld {
	t.Helper()
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{})
	maps.Copy(w.env, map[string]string{"REPLIES_MAX_ATTEMPTS": "3", "REPLIES_BACKOFF_MAX": "1s"})
	off := false
	parents, err := w.box.Import(sandbox.Import{Count: 20, Webhook: &off})
	require.NoError(t, err)
	return troubledWorld{world: w, public: public, parents: parents}
}

const createContent = "POST /1.0/contents"

// giveUp sends commands that end as letters, 50 of each reason.
func (w troubledWorld) giveUp() {
	w.t.Helper()
	past := time.Now().Add(-time.Minute)
	for status, reason := range map[int]deadletter.Reason{403: deadletter.Forbidden, 404: deadletter.NotFound, 422: deadletter.Rejected} {
		_, err := w.box.AddFault(sandbox.Fault{Route: createContent, Match: map[string]string{"body_contains": string(reason)}, Status: status})
		require.NoError(w.t, err)
	}
	var commands []*schemas.ReplyCommand
	for n := range perReason {
		parent := w.parents[n%len(w.parents)]
		for _, reason := range []deadletter.Reason{deadletter.Forbidden, deadletter.NotFound, deadletter.Rejected, deadletter.Expired} {
			id := fmt.Sprintf("%s-%d", reason, n)
			c := reply(id, parent.ThreadID, parent.ID, "answer "+id)
			if reason == deadletter.Expired {
				c.NotAfter = &past
			}
			commands = append(commands, c)
		}
	}
	w.send(commands...)
	w.eventually(letterReasons*perReason, waitLong, func() int { return len(w.read(w.names.RepliesDLQ)) }, "letters")
	w.box.ClearFaults()
}

// fail brings the night's troubles about: a text whose fate nobody can look up,
// Engage down for everybody, and a subscription that is gone for good.
func (w troubledWorld) fail() {
	w.t.Helper()
	p := w.box.Platform()
	for _, fault := range []sandbox.Fault{
		{Route: "POST /restapi/v1.0/account/~/extension/~/sms", Match: map[string]string{"to": stuckNumber}, Reset: "before"},
		{Route: "GET /restapi/v1.0/account/~/extension/~/message-store", Match: map[string]string{"phoneNumber": stuckNumber}, Status: 503},
		{Route: createContent, Status: 503},
		{Route: "POST /restapi/v1.0/subscription", Status: 503},
	} {
		_, err := w.box.AddFault(fault)
		require.NoError(w.t, err)
	}
	require.NoError(w.t, p.BlacklistSubscription(p.Subscriptions()[0].ID, "Webhook responses with code: [404], reason: [Not Found]"))
	w.send(textTo(stuckNumber, "stuck", stuckText))
	for n, parent := range w.parents {
		w.send(reply(fmt.Sprint("waiting-", n), parent.ThreadID, parent.ID, fmt.Sprint("answer in the outage ", n)))
	}
}

// mend ends the troubles.
func (w troubledWorld) mend() { w.box.ClearFaults() }
