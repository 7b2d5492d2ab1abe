package ringcentral

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// explanation is what the body of an error says.
type explanation struct {
	code, message string
	faults        []fault // all codes it gives, with what they are about
}

// fault is one entry of an explanation. values are those of the parameter, as sent or as the API understood them.
type fault struct {
	code, parameter, message string
	values                   []string
}

// has reports whether code is among the codes of the explanation.
func (e explanation) has(code string) bool {
	return slices.ContainsFunc(e.faults, func(f fault) bool { return f.code == code })
}

// explainEngage reads {error, message}.
func explainEngage(body []byte) (explanation, bool) {
	var answer struct {
		Error   any `json:"error"`
		Message any `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return explanation{}, false
	}
	return explanation{code: text(answer.Error), message: text(answer.Message)}, true
}

// platformFault is the shape that an error and each of its parts have.
type platformFault struct {
	ErrorCode      any `json:"errorCode"`
	Message        any `json:"message"`
	ParameterName  any `json:"parameterName"`
	ParameterValue any `json:"parameterValue"`
}

// explainPlatform reads both shapes of the platform, {errorCode, message, errors:[…]} and {errors:[…]} alone, and OAuth's {error,
// error_description}.
func explainPlatform(body []byte) (explanation, bool) {
	var answer struct {
		platformFault

		Errors           json.RawMessage `json:"errors"`
		Error            any             `json:"error"`
		ErrorDescription any             `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return explanation{}, false
	}
	var parts []platformFault
	_ = json.Unmarshal(answer.Errors, &parts) // of another shape: the rest still explains
	parts = append(parts, answer.platformFault, platformFault{ErrorCode: answer.Error, Message: answer.ErrorDescription})
	var e explanation
	for _, part := range parts {
		if code := text(part.ErrorCode); code != "" {
			e.faults = append(e.faults, fault{
				code: code, parameter: text(part.ParameterName), message: text(part.Message), values: texts(part.ParameterValue),
			})
		}
		if e.message == "" {
			e.message = text(part.Message)
		}
	}
	e.code = e.best()
	return e, true
}

// documentedCode is the form of the codes that documentation lists, such as CMN-101. The one at the top may be of another
// kind, such as InvalidParameter, beside a documented one in the list.
var documentedCode = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,7}-[0-9]+$`)

// best returns the first documented code, or else the first.
func (e explanation) best() string {
	for _, f := range e.faults {
		if documentedCode.MatchString(f.code) {
			return f.code
		}
	}
	if len(e.faults) > 0 {
		return e.faults[0].code
	}
	return ""
}

// text returns a JSON string without white space around it, and nothing for any other value.
func text(value any) string {
	s, _ := value.(string)
	return strings.TrimSpace(s)
}

// texts returns the text of a JSON string, or those of an array.
func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var found []string
	for _, v := range list {
		if t := text(v); t != "" {
			found = append(found, t)
		}
	}
	return found
}
