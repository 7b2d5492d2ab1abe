package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/timeline"
	"github.com/ringbridge/ringbridge/schemas"
)

// shownRecord is a record as the commands print it: one JSON object.
type shownRecord struct {
	Topic     string         `json:"topic"`
	Partition int32          `json:"partition"`
	Offset    int64          `json:"offset"`
	Timestamp time.Time      `json:"timestamp"`
	Key       *string        `json:"key"`
	Headers   map[string]any `json:"headers"`
	Value     any            `json:"value"`
	// Why the value is not decoded; it is shown as text or base64 then.
	Error string `json:"error,omitempty"`
}

// decoder turns records into what is shown.
type decoder struct{ codec *schemas.Codec }

// show decodes the record of the topic with this short name. Bytes that can't
// be decoded are shown as they are; only an outage of the registry is an error.
func (d decoder) show(ctx context.Context, record *kgo.Record, short string) (shownRecord, error) {
	shown := shownRecord{
		Topic: record.Topic, Partition: record.Partition, Offset: record.Offset,
		Timestamp: record.Timestamp.UTC(), Headers: shownHeaders(record.Headers),
	}
	if record.Key != nil {
		key := timeline.Printable(record.Key)
		shown.Key = &key
	}
	value, err := d.value(ctx, record.Value, short)
	if undecodable, ok := errors.AsType[*schemas.UndecodableError](err); ok {
		shown.Error, err = undecodable.Error(), nil
		value = plainValue(record.Value)
	}
	shown.Value = value
	return shown, err
}

func (d decoder) value(ctx context.Context, data []byte, short string) (any, error) {
	if data == nil {
		return nil, nil // a tombstone
	}
	// The letters of replies hold the commands' own bytes.
	if short == topicReplies+dlqSuffix {
		short = topicReplies
	}
	value, ok := schemas.New(short)
	if !ok {
		return plainValue(data), nil
	}
	if err := d.codec.Decode(ctx, data, value); err != nil {
		return nil, err
	}
	if arrival, ok := value.(*schemas.Arrival); ok {
		return shownArrival{Arrival: arrival, Body: plainValue(arrival.Body)}, nil
	}
	return value, nil
}

// shownArrival shows the body as what it is, JSON most of the time, instead of
// base64.
type shownArrival struct {
	*schemas.Arrival
	Body any `json:"body"`
}

// plainValue returns JSON as it is, other text as a string, and the rest as
// base64.
func plainValue(data []byte) any {
	if data == nil {
		return nil
	}
	if json.Valid(data) {
		var compact bytes.Buffer
		if json.Compact(&compact, data) == nil {
			return json.RawMessage(compact.Bytes())
		}
	}
	return timeline.Printable(data)
}

// shownHeaders returns the headers by name; a name that comes more than once
// has a list.
func shownHeaders(headers []kgo.RecordHeader) map[string]any {
	shown := map[string]any{}
	for _, h := range headers {
		value := timeline.Printable(h.Value)
		switch before := shown[h.Key].(type) {
		case nil:
			shown[h.Key] = value
		case string:
			shown[h.Key] = []string{before, value}
		case []string:
			shown[h.Key] = append(before, value)
		}
	}
	return shown
}
