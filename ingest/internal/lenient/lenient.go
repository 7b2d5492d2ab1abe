// Package lenient reads JSON of which a field may have another shape than its
// documentation says.
package lenient

import "encoding/json"

// Text is an id, a name or a date, which may come as a string or as a number: the
// number's digits are kept as they are. Anything else is the empty text.
type Text string

// UnmarshalJSON implements json.Unmarshaler. It never fails, so one odd field does
// not hide the others.
func (t *Text) UnmarshalJSON(data []byte) error {
	var text string
	var number json.Number
	switch {
	case data[0] == '"' && json.Unmarshal(data, &text) == nil:
		*t = Text(text)
	case data[0] != '"' && json.Unmarshal(data, &number) == nil:
		*t = Text(number)
	default:
		*t = ""
	}
	return nil
}
