package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestHandover(t *testing.T) {
	a := start(t, sandbox.Config{})
	author := a.incoming(sandbox.Import{}).AuthorID
	a.PutIdentity(sandbox.Identity{ID: author, ForeignID: "fb-1"})
	tests := map[string]struct {
		query  string
		status int
	}{
		"from bot to agent":       {"from=bot&to=agent&type=messenger&identity_foreign_id=fb-1", 200},
		"from agent to bot":       {"from=agent&to=bot&type=messenger&identity_foreign_id=fb-1&app_id=7", 200},
		"an unknown identity":     {"from=bot&to=agent&type=messenger&identity_foreign_id=none", 404},
		"without identity":        {"from=bot&to=agent&type=messenger", 422},
		"from bot to bot":         {"from=bot&to=bot&type=messenger&identity_foreign_id=fb-1", 422},
		"from nobody":             {"to=bot&type=messenger&identity_foreign_id=fb-1", 422},
		"without type":            {"from=bot&to=agent&identity_foreign_id=fb-1", 422},
		"no intervention for VA":  {"from=bot&to=agent&type=engage_virtual_agent", 422},
		"an unknown intervention": {"from=bot&to=agent&type=engage_virtual_agent&intervention_id=none", 404},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := a.post("/1.0/bots/handover?" + test.query)
			require.Equal(t, test.status, got.status, string(got.body))
			if test.status == 200 {
				require.JSONEq(t, sample("ed_bots_handover_success"), string(got.body))
			}
		})
	}
}

func TestBotIsRefusedWhileAnAgentIsEngaged(t *testing.T) {
	a := start(t, sandbox.Config{})
	c := a.incoming(sandbox.Import{})
	a.PutIdentity(sandbox.Identity{ID: c.AuthorID, ForeignID: "fb-1"})
	toBot := func() int {
		return a.post("/1.0/bots/handover", "from", "agent", "to", "bot", "type", "messenger", "identity_foreign_id", "fb-1").status
	}
	i, err := a.Engage(c.AuthorID)
	require.NoError(t, err)
	require.Equal(t, 422, toBot())
	assigned, _ := a.Content(c.ID)
	require.Equal(t, sandbox.StatusAssigned, assigned.Status)
	require.Equal(t, sandbox.Optional(i.ID), assigned.InterventionID)
	_, err = a.Engage(c.AuthorID)
	require.ErrorIs(t, err, sandbox.ErrInvalid)
	require.Equal(t, 200, a.get("/1.0/interventions/"+i.ID).status)

	require.NoError(t, a.Disengage(i.ID))
	require.Equal(t, 200, toBot())
}

func TestIdentities(t *testing.T) {
	c := newClock()
	a := startWith(t, sandbox.Config{}, sandbox.Deps{Now: c.now})
	first := a.incoming(sandbox.Import{Author: "Ann"}).AuthorID
	c.move(time.Minute)
	second := a.incoming(sandbox.Import{Author: "Ben"}).AuthorID
	c.move(time.Minute)
	a.PutIdentity(sandbox.Identity{ID: first, IdentityGroupID: "g1"})
	require.Equal(t, first, a.incoming(sandbox.Import{Author: "Ann"}).AuthorID, "one name is one identity")

	tests := map[string]struct {
		query string
		want  []string
	}{
		"newest first":               {"", []string{second, first}},
		"by creation":                {"?sort=created_at", []string{second, first}},
		"by update":                  {"?sort=updated_at", []string{first, second}},
		"one page":                   {"?sort=updated_at&limit=1&offset=1", []string{second}},
		"of a group":                 {"?identity_group_ids=g0,g1", []string{first}},
		"source loses to community":  {"?community_id=none&source_id=" + a.Sources()[0].ID, nil},
		"of a source":                {"?source_id=" + a.Sources()[0].ID, []string{second, first}},
		"by foreign id, without hit": {"?foreign_id=none", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range a.get("/1.0/identities" + test.query).page().Records {
				got = append(got, r.ID)
			}
			require.Equal(t, test.want, got)
		})
	}
	require.Equal(t, 200, a.get("/1.0/identities/"+first).status)
	require.Equal(t, 404, a.get("/1.0/identities/none").status)
	require.Equal(t, 422, a.get("/1.0/identities?sort=name").status)
}
