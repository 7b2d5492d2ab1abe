package sandbox

// registration is a webhook as GET /1.0/webhooks shows it. The secret is not in it:
// the documentation lists no such field.
type registration struct {
	ID               string   `json:"id"`
	Active           bool     `json:"active"`
	URL              string   `json:"url"`
	VerifyToken      string   `json:"verify_token"`
	StagingUse       bool     `json:"staging_use"`
	RegisteredEvents []string `json:"registered_events"`
	WebhookStatus    string   `json:"webhook_status"`
}

// listWebhooks is GET /1.0/webhooks. The words of webhook_status are guesses.
func (s *Server) listWebhooks(c *call) reply {
	target, active := s.hooks.registration()
	var all []*registration
	if target.URL != "" {
		r := &registration{
			ID: s.user, Active: active, URL: target.URL, VerifyToken: target.VerifyToken, RegisteredEvents: target.Events, WebhookStatus: "ok",
		}
		if !active {
			r.WebhookStatus = "disabled"
		}
		if r.RegisteredEvents == nil {
			r.RegisteredEvents = []string{}
		}
		all = append(all, r)
	}
	return page(c.params, all)
}
