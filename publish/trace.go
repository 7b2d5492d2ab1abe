package publish

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// traceHeader is the W3C trace context's header.
const traceHeader = "traceparent"

// traceOf returns the trace of a record: the one it carries, or a new one.
func traceOf(headers []kgo.RecordHeader) string {
	for _, h := range headers {
		if h.Key == traceHeader && validTrace(string(h.Value)) {
			return string(h.Value)
		}
	}
	var ids [24]byte
	_, _ = rand.Read(ids[:]) // never fails
	return "00-" + hex.EncodeToString(ids[:16]) + "-" + hex.EncodeToString(ids[16:]) + "-01"
}

// validTrace tells whether s is a traceparent of version 00: two digits, 32, 16
// and 2, in lower-case hexadecimal, neither id all zeros.
func validTrace(s string) bool {
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	trace, span, flags := s[3:35], s[36:52], s[53:]
	for _, c := range trace + span + flags {
		if !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return strings.Trim(trace, "0") != "" && strings.Trim(span, "0") != ""
}
