package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
)

// ErrNotFound is returned by the control methods for an id the sandbox does not hold.
var ErrNotFound = errors.New("sandbox: not found")

// ErrInvalid is returned by the control methods for input that makes no sense; it is wrapped with what is wrong.
var ErrInvalid = errors.New("sandbox: invalid")

// closedThread is a recorded body, key order included.
const closedThread = `{"message":"Can't reply to closed thread","error":"cant_reply_to_closed_thread","status":403}`

// apiError is the error body of the API. Errors is there on validation errors only.
type apiError struct {
	Error   string      `json:"error"`
	Message string      `json:"message"`
	Status  int         `json:"status"`
	Errors  []violation `json:"errors,omitempty"`
}

type violation struct {
	Attribute string `json:"attribute"`
	Message   string `json:"message"`
}

// violations are gathered, so that one answer names all.
type violations []violation

func (v *violations) add(attribute, message string) {
	*v = append(*v, violation{attribute, message})
}

func failure(status int, code, message string) reply {
	return reply{status: status, body: apiError{Error: code, Message: message, Status: status}}
}

func unprocessable(code, message string) reply {
	return failure(http.StatusUnprocessableEntity, code, message)
}

func notFound(what string) reply {
	return failure(http.StatusNotFound, "not_found", "Couldn't find "+what)
}

func rateLimited() reply {
	return failure(http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit exceeded")
}

func threadClosed() reply {
	return reply{status: http.StatusForbidden, body: json.RawMessage(closedThread)}
}

func invalid(violations ...violation) reply {
	return reply{status: http.StatusUnprocessableEntity, body: apiError{
		Error:   "validation_error",
		Message: violations[0].Attribute + " " + violations[0].Message,
		Status:  http.StatusUnprocessableEntity,
		Errors:  violations,
	}}
}

// plainFailure is the body the API sends with a status that a fault asked for.
func plainFailure(status int) reply {
	if status == http.StatusTooManyRequests {
		return rateLimited()
	}
	text := http.StatusText(status)
	if text == "" {
		text = "Error"
	}
	return failure(status, identifier(text), text)
}

// identifier turns a status text into the API's way of naming errors: "Bad Gateway" is bad_gateway.
func identifier(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		switch b := text[i]; {
		case b == ' ' || b == '-':
			out = append(out, '_')
		case 'A' <= b && b <= 'Z':
			out = append(out, b+'a'-'A')
		case 'a' <= b && b <= 'z':
			out = append(out, b)
		}
	}
	return string(out)
}
