package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// formatVersion is the first byte of every payload.
const formatVersion = 1

// errFormat says that a payload is none of this version's.
var errFormat = errors.New("spool: not a record of this version")

// An entry is what one record holds: an item, or else a refusal. It is not yet in
// Avro: the registry may be as far away as the broker.
type entry struct {
	item    *ingest.Item
	refusal *ingest.Refusal
}

// head is an entry without its body.
type head struct {
	ReceivedAt  time.Time      `json:"received_at"`
	TraceParent string         `json:"traceparent,omitempty"`
	Key         string         `json:"key,omitempty"`
	Origin      schemas.Origin `json:"origin,omitempty"`
	API         schemas.Api    `json:"api,omitempty"`
	Kind        string         `json:"kind,omitempty"`
	ResourceID  *string        `json:"resource_id,omitempty"`
	ContentType string         `json:"content_type,omitempty"`
	Refused     *refused       `json:"refused,omitempty"` // nil = an item
}

type refused struct {
	Message string            `json:"message"`
	Reason  deadletter.Reason `json:"reason,omitempty"`
	Headers []header          `json:"headers,omitempty"`
}

// header has its value as bytes: those of HTTP need not be UTF-8.
type header struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// encode returns the entry's payload. now is when a refusal came.
func (e entry) encode(now time.Time) ([]byte, error) {
	h, body := e.split(now)
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("spool: encode: %w", err)
	}
	if len(text)+len(body)+1+binary.MaxVarintLen32 > maxPayload {
		return nil, fmt.Errorf("spool: %w", ingest.ErrTooLarge)
	}
	payload := make([]byte, 0, 1+binary.MaxVarintLen32+len(text)+len(body))
	payload = append(payload, formatVersion)
	payload = binary.AppendUvarint(payload, uint64(len(text)))
	payload = append(payload, text...)
	return append(payload, body...), nil
}

func (e entry) split(now time.Time) (head, []byte) {
	if r := e.refusal; r != nil {
		h := head{ReceivedAt: now, TraceParent: r.TraceParent, Key: r.Key, Refused: &refused{Message: r.Message, Reason: r.Reason}}
		for _, one := range r.Headers {
			h.Refused.Headers = append(h.Refused.Headers, header{Name: one.Name, Value: []byte(one.Value)})
		}
		return h, r.Body
	}
	a := e.item.Arrival
	return head{
		ReceivedAt: a.ReceivedAt, TraceParent: e.item.TraceParent, Key: e.item.Key,
		Origin: a.Origin, API: a.API, Kind: a.Kind, ResourceID: a.ResourceID, ContentType: a.ContentType,
	}, a.Body
}

// decode reads a payload. The body points into it.
func decode(payload []byte) (entry, time.Time, error) {
	if len(payload) == 0 || payload[0] != formatVersion {
		return entry{}, time.Time{}, errFormat
	}
	length, n := binary.Uvarint(payload[1:])
	if n <= 0 || length > uint64(len(payload)-1-n) {
		return entry{}, time.Time{}, errFormat
	}
	text, body := payload[1+n:1+n+int(length)], payload[1+n+int(length):]
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return entry{}, time.Time{}, fmt.Errorf("%w: %w", errFormat, err)
	}
	return h.entry(body), h.ReceivedAt, nil
}

func (h head) entry(body []byte) entry {
	if h.Refused != nil {
		r := &ingest.Refusal{Body: body, Message: h.Refused.Message, Reason: h.Refused.Reason, Key: h.Key, TraceParent: h.TraceParent}
		for _, one := range h.Refused.Headers {
			r.Headers = append(r.Headers, ingest.Header{Name: one.Name, Value: string(one.Value)})
		}
		return entry{refusal: r}
	}
	return entry{item: &ingest.Item{Key: h.Key, TraceParent: h.TraceParent, Arrival: schemas.Arrival{
		Origin: h.Origin, API: h.API, Kind: h.Kind, ResourceID: h.ResourceID,
		ReceivedAt: h.ReceivedAt, ContentType: h.ContentType, Body: body,
	}}}
}
