package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// opWebhooks is an operation of operators' commands only, so no metric is pre-filled for it.
const opWebhooks = "list_webhooks"

// Webhook is a registration of Engage Digital's webhooks, as far as it is told.
type Webhook struct {
	URL              string   `json:"url"`
	Active           bool     `json:"active"`
	Status           string   `json:"webhook_status"`
	VerifyToken      Secret   `json:"verify_token"`
	Secret           Secret   `json:"secret"` // empty where the API doesn't show it
	RegisteredEvents []string `json:"registered_events"`
}

// Webhooks lists the webhooks of the token's user: MaxPage of them at most.
func (e *Engage) Webhooks(ctx context.Context) ([]Webhook, error) {
	query := url.Values{}
	window(query, 0, MaxPage)
	var hooks []Webhook
	err := e.c.do(ctx, call{
		op: opWebhooks, method: http.MethodGet, path: "/webhooks", query: query, priority: Poll,
		read: func(body []byte) error {
			var page Page
			if err := readPage(&page)(body); err != nil {
				return err
			}
			for _, record := range page.Records {
				var hook Webhook
				if json.Unmarshal(record, &hook) != nil {
					return errNotObject
				}
				hooks = append(hooks, hook)
			}
			return nil
		},
	})
	return hooks, err
}
