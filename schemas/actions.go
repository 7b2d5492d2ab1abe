package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ActionName returns the short name of a command's action, such as
// "CreateContent", or "" for anything else.
func ActionName(action any) string {
	switch action.(type) {
	case *CreateContent:
		return "CreateContent"
	case *Handover:
		return "Handover"
	case *SendSMS:
		return "SendSms"
	case *UpdateMessage:
		return "UpdateMessage"
	case *DeleteMessage:
		return "DeleteMessage"
	}
	return ""
}

func newAction(name string) any {
	switch name {
	case "CreateContent":
		return &CreateContent{API: ContentApiEngage, BodyFormat: BodyFormatText}
	case "Handover":
		return &Handover{From: HandoverPartyUnknown, To: HandoverPartyUnknown}
	case "SendSms":
		return &SendSMS{}
	case "UpdateMessage":
		return &UpdateMessage{}
	case "DeleteMessage":
		return &DeleteMessage{}
	}
	return nil
}

// plainCommand is a ReplyCommand without its JSON methods.
type plainCommand ReplyCommand

// MarshalJSON writes the command with its action under the action's name:
// {"command_id": …, "action": {"CreateContent": {…}}}.
func (c ReplyCommand) MarshalJSON() ([]byte, error) {
	plain := plainCommand(c)
	plain.Action = map[string]any{ActionName(c.Action): c.Action}
	return json.Marshal(plain)
}

// UnmarshalJSON reads what MarshalJSON writes. Absent fields take the schema's
// defaults; a field that the schema does not have is an error.
func (c *ReplyCommand) UnmarshalJSON(data []byte) error {
	wire := struct {
		*plainCommand
		Action map[string]json.RawMessage `json:"action"`
	}{plainCommand: (*plainCommand)(c)}
	if err := strict(data, &wire); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if len(wire.Action) != 1 {
		return errors.New(`command: want one action, as in "action": {"CreateContent": {…}}`)
	}
	for name, body := range wire.Action {
		action := newAction(name)
		if action == nil {
			return fmt.Errorf("command: no action is named %q: want CreateContent, Handover, SendSms, UpdateMessage or DeleteMessage", name)
		}
		if err := strict(body, action); err != nil {
			return fmt.Errorf("command: %s: %w", name, err)
		}
		c.Action = action
	}
	return nil
}

func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
