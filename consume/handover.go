package consume

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

func (a apis) handoverOf(h *schemas.Handover) (action, error) {
	sides := map[schemas.HandoverParty]string{schemas.HandoverPartyBot: "bot", schemas.HandoverPartyAgent: "agent"}
	from, to := sides[h.From], sides[h.To]
	switch {
	case h.IdentityForeignID == "":
		return nil, errors.New("identity_foreign_id is empty")
	case from == "" || to == "":
		return nil, errors.New("from and to must each be BOT or AGENT")
	case from == to:
		return nil, fmt.Errorf("from and to are both %s", h.From)
	}
	return handover{a.engage, ringcentral.Handover{
		From: from, To: to, IdentityForeignID: h.IdentityForeignID, Type: text(h.Type), AppID: text(h.AppID),
		InterventionID: text(h.InterventionID), ThreadCategoryIDs: h.ThreadCategoryIds, Trigger: text(h.Trigger),
	}}, nil
}

// handover may be made again after an unknown outcome: the second one finds the
// conversation where the first put it.
type handover struct {
	api  Engage
	what ringcentral.Handover
}

func (handover) flavour() flavour { return flavourEngage }

func (h handover) call(ctx context.Context) (string, error) {
	return "", h.api.Handover(ctx, h.what)
}

func (handover) find(context.Context, time.Time, func(string) bool) (string, bool, error) {
	return "", false, errUntellable
}

func (handover) repeatable() bool { return true }
func (handover) twin() string     { return "" }
