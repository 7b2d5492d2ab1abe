package main

import (
	"encoding/json"
	"errors"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/letters"
)

// eventsOf takes a letter of the inbox apart: a webhook's request, one event of
// such a request, or a notification.
func eventsOf(value []byte) ([]letters.Event, error) {
	items, err := itemsOf(value)
	events := make([]letters.Event, len(items))
	for i, item := range items {
		events[i] = letters.Event{Key: item.Key, Arrival: item.Arrival}
	}
	return events, err
}

func itemsOf(value []byte) ([]ingest.Item, error) {
	if items, err := webhook.Split(value); err == nil {
		return items, nil
	}
	if items, err := webhook.SplitNotification(value); err == nil {
		return items, nil
	}
	var event struct {
		Type     json.RawMessage `json:"type"`
		Resource json.RawMessage `json:"resource"`
	}
	if json.Unmarshal(value, &event) != nil || event.Type == nil || event.Resource == nil {
		return nil, errors.New("neither a webhook's request nor an event of one nor a notification")
	}
	request := append(append([]byte(`{"events":[`), value...), `]}`...)
	return webhook.Split(request)
}
