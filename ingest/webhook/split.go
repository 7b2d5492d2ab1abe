package webhook

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/schemas"
)

// The ways in which a request holds no events.
var (
	ErrNotJSON  = errors.New("not the JSON of a webhook request")
	ErrNoEvents = errors.New("no events in the request")
	ErrTooMany  = errors.New("more events than a request can have")
)

// maxEvents is more than fit into a body of the default size: an event of the real
// sender has 300 bytes at least. Each costs a record, so a body of nothing but
// brackets would cost a gigabyte.
const maxEvents = 20_000

// contentType is what an event is, whatever the request said it was.
const contentType = "application/json"

// contentPrefix begins the types of the events that belong to a conversation.
const contentPrefix = "content."

// Split returns the events of a request's body, one item each with the bytes as
// received. An event that makes no sense is an item too: the others must not
// suffer, and what is to become of it is not decided here. An error, one of those
// above, means that the whole is no request with events.
func Split(body []byte) ([]ingest.Item, error) {
	var request struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, ErrNotJSON
	}
	switch n := len(request.Events); {
	case n == 0:
		return nil, ErrNoEvents
	case n > maxEvents:
		return nil, ErrTooMany
	}
	items := make([]ingest.Item, len(request.Events))
	for i, event := range request.Events {
		items[i] = item(event)
	}
	return items, nil
}

// item reads of an event what the inbox needs to know: type, resource and key.
func item(event json.RawMessage) ingest.Item {
	var seen struct {
		Type     lenient.Text `json:"type"`
		Resource struct {
			ID       lenient.Text `json:"id"`
			Metadata struct {
				ThreadID lenient.Text `json:"thread_id"`
			} `json:"metadata"`
		} `json:"resource"`
	}
	_ = json.Unmarshal(event, &seen) // a wrong shape leaves the rest readable
	arrival := schemas.Arrival{
		Origin:      schemas.OriginWebhook,
		API:         schemas.ApiEngage,
		Kind:        string(seen.Type),
		ContentType: contentType,
		Body:        event,
	}
	id, thread := string(seen.Resource.ID), string(seen.Resource.Metadata.ThreadID)
	if id != "" {
		arrival.ResourceID = &id
	}
	if thread != "" && strings.HasPrefix(arrival.Kind, contentPrefix) {
		return ingest.Item{Key: thread, Arrival: arrival}
	}
	return ingest.Item{Key: id, Arrival: arrival}
}
