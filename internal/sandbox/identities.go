package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Identity is a person on a source, as GET /1.0/identities/{id} shows it. The brand's own have user ids.
type Identity struct {
	ID              string         `json:"id"`
	Type            string         `json:"type"`
	UUID            string         `json:"uuid"`
	ForeignID       Optional       `json:"foreign_id"`
	CommunityID     string         `json:"community_id"`
	CommunityURL    Optional       `json:"community_url"`
	IdentityGroupID Optional       `json:"identity_group_id"`
	DisplayName     string         `json:"display_name"`
	ScreenName      Optional       `json:"screenname"`
	FirstName       Optional       `json:"firstname"`
	LastName        Optional       `json:"lastname"`
	Email           Optional       `json:"email"`
	Gender          Optional       `json:"gender"`
	Company         Optional       `json:"company"`
	HomePhone       Optional       `json:"home_phone"`
	MobilePhone     Optional       `json:"mobile_phone"`
	AvatarURL       Optional       `json:"avatar_url"`
	UserIDs         []string       `json:"user_ids"`
	ExtraValues     map[string]any `json:"extra_values"`
	CreatedAt       time.Time      `json:"created_at"`
	UpdatedAt       time.Time      `json:"updated_at"`
}

// PutIdentity adds an identity, or changes the one with the same id: fields left empty stay. It returns what became of it.
func (s *Server) PutIdentity(change Identity) Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.state.identities[change.ID]
	if old == nil {
		old = s.newIdentity(change.ID, s.state.sources[s.state.defaultSource], "")
	}
	merge(old, change)
	old.UpdatedAt = seconds(s.now())
	return *old
}

func merge(to *Identity, from Identity) {
	to.Type, to.UUID = cmp.Or(from.Type, to.Type), cmp.Or(from.UUID, to.UUID)
	to.ForeignID, to.CommunityID = cmp.Or(from.ForeignID, to.ForeignID), cmp.Or(from.CommunityID, to.CommunityID)
	to.CommunityURL = cmp.Or(from.CommunityURL, to.CommunityURL)
	to.IdentityGroupID = cmp.Or(from.IdentityGroupID, to.IdentityGroupID)
	to.DisplayName, to.ScreenName = cmp.Or(from.DisplayName, to.DisplayName), cmp.Or(from.ScreenName, to.ScreenName)
	to.FirstName, to.LastName = cmp.Or(from.FirstName, to.FirstName), cmp.Or(from.LastName, to.LastName)
	to.Email, to.Gender = cmp.Or(from.Email, to.Email), cmp.Or(from.Gender, to.Gender)
	to.Company, to.AvatarURL = cmp.Or(from.Company, to.Company), cmp.Or(from.AvatarURL, to.AvatarURL)
	to.HomePhone, to.MobilePhone = cmp.Or(from.HomePhone, to.HomePhone), cmp.Or(from.MobilePhone, to.MobilePhone)
	if from.UserIDs != nil {
		to.UserIDs = from.UserIDs
	}
	if from.ExtraValues != nil {
		to.ExtraValues = from.ExtraValues
	}
}

// newIdentity adds one to a source; id may be empty.
func (s *Server) newIdentity(id string, source *Source, name string) *Identity {
	now := seconds(s.now())
	id = cmp.Or(id, s.ids.next())
	identity := &Identity{
		ID: id, Type: source.Type + "_user", UUID: id, ForeignID: Optional("ext-" + id), CommunityID: source.ID,
		DisplayName: cmp.Or(name, "Customer "+id[max(0, len(id)-4):]), UserIDs: []string{}, ExtraValues: map[string]any{},
		CreatedAt: now, UpdatedAt: now,
	}
	s.state.identities[id] = identity
	return identity
}

// brandIdentity returns the identity the token's user speaks as on a source.
func (s *Server) brandIdentity(source *Source) string {
	if source.brand == "" {
		identity := s.newIdentity("", source, "Brand")
		identity.UserIDs = []string{s.user}
		source.brand = identity.ID
	}
	return source.brand
}

// listIdentities is GET /1.0/identities.
func (s *Server) listIdentities(c *call) reply {
	p := c.params
	key := func(i *Identity) time.Time { return i.CreatedAt }
	switch p.get("sort") {
	case "", "created_at":
	case "updated_at":
		key = func(i *Identity) time.Time { return i.UpdatedAt }
	default:
		return invalid(violation{"sort", "must be created_at or updated_at"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make([]*Identity, 0, len(s.state.identities))
	for _, i := range s.state.identities {
		if identityMatches(p, i) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *Identity) int {
		return cmp.Or(key(b).Compare(key(a)), strings.Compare(b.ID, a.ID))
	})
	return page(p, found)
}

func identityMatches(p params, i *Identity) bool {
	equal := func(name, value string) bool { return p.get(name) == "" || p.get(name) == value }
	if ids := p.get("identity_group_ids"); ids != "" && !slices.Contains(strings.Split(ids, ","), string(i.IdentityGroupID)) {
		return false
	}
	if user := p.get("user_id"); user != "" && !slices.Contains(i.UserIDs, user) {
		return false
	}
	community := cmp.Or(p.get("community_id"), p.get("source_id")) // source_id is ignored beside community_id
	return (community == "" || community == i.CommunityID) && equal("foreign_id", string(i.ForeignID)) &&
		equal("uuid", i.UUID) && equal("identity_group_id", string(i.IdentityGroupID))
}

func (s *Server) getIdentity(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	identity := s.state.identities[c.r.PathValue("id")]
	if identity == nil {
		return notFound("Identity")
	}
	return ok(*identity)
}
