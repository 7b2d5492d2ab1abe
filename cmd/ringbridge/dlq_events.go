package main

import (
	"errors"

	"github.com/ringbridge/ringbridge/ingest/webhook"
	"github.com/ringbridge/ringbridge/internal/letters"
)

// eventsOf takes a letter of the inbox apart as the receiver would: a webhook's
// request, one event of such a request, or a notification. What is no event among
// them stays in the letter.
func eventsOf(value []byte, contentType, contentEncoding string) ([]letters.Event, error) {
	body := webhook.Body{Bytes: value, Type: contentType, Encoding: contentEncoding}
	parts, err := webhook.Split(body, webhook.LargestMaxBody)
	if err != nil {
		parts, err = webhook.SplitNotifications(body, webhook.LargestMaxBody)
	}
	if err != nil {
		return nil, errors.New("neither a webhook's request nor an event of one nor a notification")
	}
	events := make([]letters.Event, len(parts.Items))
	for i, item := range parts.Items {
		if err := item.Fault(); err != nil {
			return nil, err
		}
		events[i] = letters.Event{Key: item.Key, Arrival: item.Arrival}
	}
	return events, nil
}
