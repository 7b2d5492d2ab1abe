package ingest

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// HeaderTraceParent is the name of the W3C trace context, in HTTP and in Kafka.
const HeaderTraceParent = "traceparent"

// traceForm is version 00 of the W3C format; later versions begin like it.
var traceForm = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$`)

// maxTraceParent bounds what is passed on: version 00 has 55 bytes.
const maxTraceParent = 128

// TraceParent returns the given traceparent when it is valid, else a new one.
// The trace is passed on as it came: the bridge makes no spans of its own here.
func TraceParent(given string) string {
	if validTrace(given) {
		return given
	}
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: see crypto/rand
	return "00-" + hex.EncodeToString(random[:16]) + "-" + hex.EncodeToString(random[16:]) + "-01"
}

func validTrace(given string) bool {
	if len(given) > maxTraceParent {
		return false
	}
	m := traceForm.FindStringSubmatch(given)
	return m != nil && m[1] != "ff" && (m[1] != "00" || m[4] == "") &&
		strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != ""
}
