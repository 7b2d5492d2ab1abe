package webhook

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
)

const (
	// HeaderVerification carries the token that the subscription was made with, in
	// clear, on every notification.
	HeaderVerification = "Verification-Token"
	// HeaderValidation carries what is to be sent back when a subscription is made.
	// An older guide has the verification token in it.
	HeaderValidation = "Validation-Token"
)

// maxValidation is the longest validation token that is sent back, in bytes: the
// platform takes answers of 1024 bytes in all, and the other headers need 200.
const maxValidation = 512

// What a refused request of the platform lacked.
var (
	errVerification = errors.New("wrong or missing " + HeaderVerification)
	errValidation   = errors.New("a " + HeaderValidation + " has at most 512 bytes of visible ASCII")
)

// notify takes a notification in, or answers the check of the address that is made
// before there are any.
//
// That check is answered to everybody. The platform makes it while the
// subscription is being made, and is not documented to send a token with it; and
// there is nothing to guard, as an answer tells and stores nothing.
func (r *Receiver) notify(req *http.Request) answer {
	validation := req.Header.Get(HeaderValidation)
	if validation != "" && bodyless(req) {
		return validated(validation)
	}
	token := req.Header.Get(HeaderVerification)
	if token == "" {
		token = validation
	}
	if !r.platform.accept(token) {
		return refused(http.StatusUnauthorized, unauthorized, errVerification)
	}
	return r.traced(req, func(trace string) answer { return r.take(req, trace, SplitNotifications) })
}

// validated sends a validation token back.
func validated(token string) answer {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	if len(token) > maxValidation || strings.ContainsFunc(token, func(r rune) bool { return !visible(r) }) {
		return refused(http.StatusBadRequest, badRequest, errValidation)
	}
	return answer{status: http.StatusOK, header: [2]string{HeaderValidation, token}, result: handshake}
}

// bodyless tells whether a request has no body. Where its length is not told, that
// takes a byte, which is put back.
func bodyless(req *http.Request) bool {
	if req.ContentLength >= 0 {
		return req.ContentLength == 0
	}
	var first [1]byte
	n, _ := io.ReadFull(req.Body, first[:]) // what is wrong with it shows again when all is read
	req.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(first[:n]), req.Body), req.Body}
	return n == 0
}
