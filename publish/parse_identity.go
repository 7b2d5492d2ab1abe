package publish

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// An identityFinding is the state of an identity.
type identityFinding struct {
	identity   schemas.Identity
	at         int64 // ms: when it changed; 0 = it does not say
	read       int64 // ms
	occurredAt time.Time
	state      uint64 // fingerprint of the whole identity
}

// parseIdentityRow reads an identity as the API's lists and reads show it.
func parseIdentityRow(a *schemas.Arrival) (finding, error) {
	identity, err := readIdentity(a.Body, a.API, a.Account)
	if err != nil {
		return nil, err
	}
	f := &identityFinding{identity: identity, at: bounded(identity.UpdatedAt, millis(a.ReceivedAt)), read: millis(a.ReceivedAt), occurredAt: a.ReceivedAt}
	if identity.UpdatedAt != nil {
		f.occurredAt = *identity.UpdatedAt
	}
	state, err := json.Marshal(identity) // sorts its maps: one state, one text
	if err != nil {
		return nil, fmt.Errorf("publish: identity state: %w", err)
	}
	f.state = fingerprint(string(state))
	return f, nil
}

// readIdentity reads an identity of the API. The error is a *ParseError.
func readIdentity(body []byte, api schemas.Api, account string) (schemas.Identity, error) {
	o := readObject(body, api)
	identity := schemas.Identity{
		ID: deref(o.id("id")), API: api, Account: account, ForeignID: o.id("foreign_id"), Type: o.text("type"),
		DisplayName: o.text("display_name"), ScreenName: o.text("screenname"), FirstName: o.text("firstname"), LastName: o.text("lastname"),
		Email: o.text("email"), HomePhone: o.text("home_phone"), MobilePhone: o.text("mobile_phone"),
		Company: o.text("company"), Gender: o.text("gender"), AvatarURL: o.text("avatar_url"),
		IdentityGroupID: o.id("identity_group_id"), UserIds: o.list("user_ids"),
		CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"), Extra: o.texts("extra_values"),
	}
	if err := o.fault(); err != nil {
		return schemas.Identity{}, err
	}
	if identity.ID == "" {
		return schemas.Identity{}, &ParseError{Field: "id", Want: "the identity's id"}
	}
	return identity, nil
}
