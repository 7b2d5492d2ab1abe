package sandbox

import (
	"net/http"
)

// Error codes of the platform. Those without a comment are documented for the case they are used in.
const (
	codeInvalid      = "CMN-101"
	codeMissing      = "CMN-102" // documented elsewhere for unknown resources
	codeUnavailable  = "CMN-201" // a guess for 5xx
	codeRate         = "CMN-301"
	codeLogin        = "CMN-405"
	codePermission   = "CMN-408"
	codeNotOwned     = "MSG-245"
	codeCannotSend   = "MSG-304" // a guess for a number without SmsSender
	codeSMSRate      = "MSG-305"
	codeSyncLost     = "MSG-333"
	codeRecipients   = "MSG-381"
	codeExpired      = "OAU-128"
	codeCorrupted    = "OAU-129"
	codeUnparsable   = "OAU-149"
	codeGrant        = "OAU-151"
	codeClient       = "OAU-153" // a guess for a wrong client
	codeTokenMissing = "OAU-213"
	codeSubLimit     = "SUB-505"
	codeSubExpired   = "SUB-507"
	codeFilters      = "SUB-508"
	codeNotEchoed    = "SUB-520"
	codeUnreachable  = "SUB-521"
	codeNotHTTPS     = "SUB-523"
	codeBadAnswer    = "SUB-525"
)

// platformError is the error body. Newer services send errors alone; OAuth adds the standard fields.
type platformError struct {
	ErrorCode        string        `json:"errorCode,omitempty"`
	Message          string        `json:"message,omitempty"`
	Errors           []errorDetail `json:"errors"`
	ParameterName    string        `json:"parameterName,omitempty"`
	OAuthError       string        `json:"error,omitempty"`
	OAuthDescription string        `json:"error_description,omitempty"`
}

type errorDetail struct {
	ErrorCode      string `json:"errorCode"`
	Message        string `json:"message"`
	ParameterName  string `json:"parameterName,omitempty"`
	ParameterValue string `json:"parameterValue,omitempty"`
	Details        string `json:"details,omitempty"` // of Social Messaging: the reason, where the message has none
}

func refused(status int, code, message string) reply {
	return reply{status: status, body: coded(code, message)}
}

func coded(code, message string) platformError {
	return platformError{ErrorCode: code, Message: message, Errors: []errorDetail{{ErrorCode: code, Message: message}}}
}

// badParameter is a 400 about one parameter.
func badParameter(parameter string) reply {
	message := "Parameter [" + parameter + "] value is invalid."
	return reply{status: http.StatusBadRequest, body: platformError{
		ErrorCode: codeInvalid, Message: message, ParameterName: parameter,
		Errors: []errorDetail{{ErrorCode: codeInvalid, Message: message, ParameterName: parameter}},
	}}
}

func missing(what string) reply {
	return refused(http.StatusNotFound, codeMissing, "Resource for parameter ["+what+"] is not found")
}

// oauthRefused is an error of the token endpoint.
func oauthRefused(status int, standard, code, message string) reply {
	body := coded(code, message)
	body.OAuthError, body.OAuthDescription = standard, message
	return reply{status: status, body: body}
}

// slim leaves the errors alone, as newer services do.
func slim(rep reply) reply {
	if e, is := rep.body.(platformError); is {
		e.ErrorCode, e.Message, e.ParameterName = "", "", ""
		rep.body = e
	}
	return rep
}

func (d platformDialect) refusal(status int) reply {
	code := codeInvalid
	switch {
	case status == http.StatusUnauthorized:
		code = codeExpired
	case status == http.StatusForbidden:
		code = codePermission
	case status == http.StatusNotFound:
		code = codeMissing
	case status == http.StatusTooManyRequests:
		code = codeRate
	case status >= http.StatusInternalServerError:
		code = codeUnavailable
	}
	message := http.StatusText(status)
	if status == http.StatusTooManyRequests {
		message = "Request rate exceeded"
	}
	if d.newer {
		return slim(refused(status, code, message))
	}
	return refused(status, code, message)
}
