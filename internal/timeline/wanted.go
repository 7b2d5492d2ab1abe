package timeline

import (
	"bytes"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/schemas"
)

// ofConversation wants what has the key. Results have another, and name the
// conversation.
func ofConversation(key string) wanted {
	id := []byte(key)
	return wanted{
		maybe: func(r *kgo.Record) bool { return bytes.Equal(r.Key, id) || bytes.Contains(r.Value, id) },
		is: func(r *kgo.Record, value schemas.Value) bool {
			if result, ok := value.(*schemas.ReplyResult); ok {
				return result.Conversation == key
			}
			return bytes.Equal(r.Key, id)
		},
	}
}

// naming wants what is about the thing with the id, or answers it. Avro and JSON
// both write an id as it is, so the bytes tell where it can't be.
func naming(id string) wanted {
	text := []byte(id)
	return wanted{
		maybe: func(r *kgo.Record) bool { return bytes.Contains(r.Value, text) || bytes.Equal(r.Key, text) },
		is: func(r *kgo.Record, value schemas.Value) bool {
			return value == nil || bytes.Equal(r.Key, text) || slices.Contains(ids(value), id)
		},
	}
}

// ids returns what a value can be found by.
func ids(value schemas.Value) []string {
	switch v := value.(type) {
	case *schemas.Arrival:
		return []string{v.ArrivalID, text(v.ResourceID)}
	case *schemas.ContentEvent:
		return []string{v.EventID, v.Content.ID, text(v.Content.ThreadID), text(v.Content.InReplyToID)}
	case *schemas.MessageEvent:
		return []string{v.EventID, v.Message.ID, text(v.Message.ConversationID)}
	case *schemas.ActivityEvent:
		return []string{v.EventID, text(v.ResourceID)}
	case *schemas.Identity:
		return []string{v.ID}
	case *schemas.ReplyCommand:
		return append(targets(v.Action), v.CommandID)
	case *schemas.ReplyResult:
		return []string{v.CommandID, v.Conversation, text(v.ResourceID)}
	}
	return nil
}

// targets returns the ids of what a command's action is about.
func targets(action any) []string {
	switch a := action.(type) {
	case *schemas.CreateContent:
		return []string{text(a.InReplyToID)}
	case *schemas.UpdateMessage:
		return []string{a.MessageID}
	case *schemas.DeleteMessage:
		return []string{a.MessageID}
	}
	return nil
}
