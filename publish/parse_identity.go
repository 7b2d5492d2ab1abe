package publish

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/ringbridge/ringbridge/schemas"
)

// An identityFinding is the state of an identity.
type identityFinding struct {
	identity schemas.Identity
	at       time.Time  // of the event
	read     int64      // ms
	state    uint64     // fingerprint of the whole identity
	changed  *time.Time // the state's own time, as read; nil = it has none
	odd      *oddFields
}

// parseIdentityRow reads an identity as the API's lists and reads show it.
func parseIdentityRow(a *schemas.Arrival) (finding, error) {
	identity, odd, err := identityOf(a.Body, a.API, a.Account)
	if err != nil {
		return nil, err
	}
	f := &identityFinding{identity: identity, at: *cmp.Or(identity.UpdatedAt, &a.ReceivedAt), read: millis(a.ReceivedAt), changed: identity.UpdatedAt, odd: odd}
	state, err := json.Marshal(identity) // sorts its maps: one state, one text
	if err != nil {
		return nil, fmt.Errorf("publish: identity state: %w", err)
	}
	f.state = fingerprint(string(state))
	return f, nil
}

// readIdentity reads an identity of the API. The error is a *ParseError.
func readIdentity(body []byte, api schemas.Api, account string) (schemas.Identity, error) {
	identity, _, err := identityOf(body, api, account)
	return identity, err
}

// identityOf is readIdentity, and says which fields are odd.
func identityOf(body []byte, api schemas.Api, account string) (schemas.Identity, *oddFields, error) {
	o := readObject(body, api)
	if err := o.fault(); err != nil {
		return schemas.Identity{}, nil, err
	}
	o.adopt("id")
	identity := schemas.Identity{
		ID: deref(o.id("id")), API: api, Account: account, ForeignID: o.id("foreign_id"), Type: o.text("type"),
		DisplayName: o.text("display_name"), ScreenName: o.text("screenname"), FirstName: o.text("firstname"), LastName: o.text("lastname"),
		Email: o.text("email"), HomePhone: o.text("home_phone"), MobilePhone: o.text("mobile_phone"),
		Company: o.text("company"), Gender: o.text("gender"), AvatarURL: o.text("avatar_url"),
		IdentityGroupID: o.id("identity_group_id"), UserIds: o.list("user_ids"),
		CreatedAt: o.instant("created_at"), UpdatedAt: o.instant("updated_at"),
	}
	if identity.ID == "" {
		return schemas.Identity{}, nil, &ParseError{Field: "id", Want: "the identity's id"}
	}
	identity.Extra = extraOf(o)
	return identity, o.odd, nil
}

// extraOf returns what has no field of its own: the custom fields, and under the API's own names
// what else the identity has, odd values among it, since an identity has no raw. A custom field
// hides another field of its name.
func extraOf(o *object) map[string]string {
	custom := o.texts("extra_values")
	own := map[string]bool{}
	for _, name := range []string{
		"id", "foreign_id", "type", "display_name", "screenname", "firstname", "lastname", "email", "home_phone", "mobile_phone", "company",
		"gender", "avatar_url", "identity_group_id", "user_ids", "created_at", "updated_at", "extra_values",
	} {
		if o.shows(name) {
			own[o.called(name)] = true
		}
	}
	extra := map[string]string{}
	for key, value := range o.fields {
		if !own[key] && present(value) != nil {
			extra[key] = validText(value)
		}
	}
	maps.Copy(extra, custom)
	return extra
}
