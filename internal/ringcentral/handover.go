package ringcentral

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Handover passes a conversation between bot and agent. Empty fields are not sent.
type Handover struct {
	// From and To are bot or agent, in any case.
	From, To string
	// Type is the channel, for example messenger, or engage_virtual_agent.
	Type string
	// IdentityForeignID names the customer on the channel.
	IdentityForeignID string
	// AppID is the bot's application (Facebook), for agent to bot.
	AppID string
	// InterventionID and Trigger belong to virtual agents.
	InterventionID, Trigger string
	// ThreadCategoryIDs recategorise the thread.
	ThreadCategoryIDs []string
}

// Handover asks for the handover. It may be repeated: asked twice, the conversation is where it was asked to be. The parameters go into the
// address, as the API has it; its logs show the customer's id on the channel, and ours show no address.
func (e *Engage) Handover(ctx context.Context, h Handover) error {
	query := url.Values{}
	for name, value := range map[string]string{
		"from": strings.ToLower(h.From), "to": strings.ToLower(h.To), "type": h.Type, "identity_foreign_id": h.IdentityForeignID,
		"app_id": h.AppID, "intervention_id": h.InterventionID, "trigger": h.Trigger,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(h.ThreadCategoryIDs) > 0 {
		query["thread_category_ids[]"] = h.ThreadCategoryIDs
	}
	return e.c.do(ctx, call{
		op: opHandover, method: http.MethodPost, path: "/bots/handover", query: query, priority: Reply,
		texts: []string{h.IdentityForeignID}, read: readObject,
	})
}
