package timeline

import (
	"reflect"
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/internal/kafka"
)

// Hidden stands where something was replaced.
const Hidden = "•••"

// Mask returns a record of a topic (its name without the prefix) with all that
// customers write, and all that tells who they are, replaced; of phone numbers
// the last digits stay. What was received as it came (raw, data, body of an
// arrival) is replaced whole, and so is what can't be decoded.
//
// The record is a Moment's, or a value of package schemas; it is not changed. A
// field that the package does not know is replaced.
func Mask(topic string, record any) any {
	if reflect.ValueOf(record).Kind() == reflect.Pointer {
		record = tree(record)
	}
	return mask(rootOf(schemaOf(topic)), record)
}

// rootOf returns the name of a topic's schema; "" = its values have none.
func rootOf(topic string) string {
	switch names := kafka.TopicNames(""); topic {
	case names.Inbox:
		return "Arrival"
	case names.Contents:
		return "ContentEvent"
	case names.Identities:
		return "Identity"
	case names.Messages:
		return "MessageEvent"
	case names.Activity:
		return "ActivityEvent"
	case names.Replies:
		return "ReplyCommand"
	case names.Results:
		return "ReplyResult"
	}
	return ""
}

// mask masks a record of a schema.
func mask(schema string, record any) any {
	fields, ok := record.(map[string]any)
	if !ok || schema == "" {
		return hide(record)
	}
	masked := map[string]any{}
	for name, value := range fields {
		masked[name] = maskField(schema+"."+name, value)
	}
	return masked
}

func maskField(field string, value any) any {
	kind, nested := classify(field)
	switch kind {
	case safe:
		return value
	case phone:
		return each(value, maskPhone)
	case inside:
		return each(value, func(v any) any { return mask(nested, v) })
	case oneOf: // {"CreateContent": {…}}
		action, ok := value.(map[string]any)
		if !ok {
			return hide(value)
		}
		masked := map[string]any{}
		for name, fields := range action {
			masked[name] = mask(name, fields)
		}
		return masked
	case customers, unknown:
	}
	return hide(value)
}

// each masks a value, or every element of a list. null stays.
func each(value any, f func(any) any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		masked := make([]any, len(v))
		for i, element := range v {
			masked[i] = f(element)
		}
		return masked
	}
	return f(value)
}

// hide replaces a value. That there is nothing may be seen.
func hide(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return v
		}
	case []any:
		if len(v) == 0 {
			return v
		}
	case map[string]any:
		if len(v) == 0 {
			return v
		}
	}
	return Hidden
}

// digitsKept is how many digits of a phone number stay: enough to tell two
// numbers of a conversation apart.
const digitsKept = 4

// maskPhone leaves the last digits of a number. What has few digits, or letters,
// is no number, and is hidden whole.
func maskPhone(value any) any {
	number, ok := value.(string)
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, number)
	if !ok || len(digits) < 2*digitsKept || strings.ContainsFunc(number, unicode.IsLetter) {
		return hide(value)
	}
	return Hidden + digits[len(digits)-digitsKept:]
}
