package sandbox

// virtualAgent is the handover type that goes by intervention instead of by identity.
const virtualAgent = "engage_virtual_agent"

// handover is POST /1.0/bots/handover. Nothing changes hands in the sandbox: the call log tells that it was asked.
// That a bot is refused while an agent is engaged is documented; with which status is not, and 422 a guess by analogy.
func (s *Server) handover(c *call) reply {
	p := c.params
	from, to, kind := p.get("from"), p.get("to"), p.get("type")
	var faults violations
	if from != "bot" && from != "agent" {
		faults.add("from", "must be bot or agent")
	}
	if to != "bot" && to != "agent" {
		faults.add("to", "must be bot or agent")
	}
	if from != "" && from == to {
		faults.add("to", "must differ from from")
	}
	if kind == "" {
		faults.add("type", "can't be blank")
	}
	switch {
	case kind == virtualAgent && p.get("intervention_id") == "":
		faults.add("intervention_id", "can't be blank")
	case kind != virtualAgent && p.get("identity_foreign_id") == "":
		faults.add("identity_foreign_id", "can't be blank")
	}
	if len(faults) > 0 {
		return invalid(faults...)
	}
	return s.handOver(to, kind, p)
}

// handOver looks up whom it concerns and whether an agent is in the way.
func (s *Server) handOver(to, kind string, p params) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == virtualAgent {
		if s.intervention(p.get("intervention_id")) == nil {
			return notFound("Intervention")
		}
		return handedOver()
	}
	identity := s.identityByForeignID(p.get("identity_foreign_id"))
	switch {
	case identity == nil:
		return notFound("Identity")
	case to == "bot" && s.engagedWith(identity.ID):
		return unprocessable("intervention_engaged", "An intervention is engaged with this identity")
	}
	return handedOver()
}

func handedOver() reply {
	return ok(struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	}{200, "Success"})
}

func (s *Server) identityByForeignID(foreignID string) *Identity {
	for _, i := range s.state.identities {
		if string(i.ForeignID) == foreignID {
			return i
		}
	}
	return nil
}

func (s *Server) engagedWith(identityID string) bool {
	for _, i := range s.state.interventions {
		if i.IdentityID == identityID && !i.Closed {
			return true
		}
	}
	return false
}
