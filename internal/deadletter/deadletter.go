// Package deadletter is the form of a dead letter: the record that was given up,
// byte for byte as it came, with headers that say why.
//
// Kafka's own header names (KIP-1191, __dlq.errors.*) are used where Kafka has
// one, and a few of Ringbridge's beside them (ringbridge.dlq.*). All values are
// UTF-8 text. The producer's own headers keep their bytes and their order; ours
// are replaced, never appended, so that a letter sent back and given up again
// does not grow, and every value is cut at a fixed size.
//
// The package does not produce letters: it only writes and reads their headers.
package deadletter

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Reason says why a record was given up. The set is closed: it is a header, a
// metric label and a log field at once.
type Reason string

// The reasons of the contract.
const (
	Undecodable      Reason = "undecodable"       // the bytes are no event or command
	Invalid          Reason = "invalid"           // decoded, but wrong before any call was made
	Rejected         Reason = "rejected"          // the API's definite no
	NotFound         Reason = "not_found"         // the API knows no such thing
	Forbidden        Reason = "forbidden"         // the API does not allow it
	RetriesExhausted Reason = "retries_exhausted" // every attempt failed, and none had an effect
	Expired          Reason = "expired"           // its not_after has passed
	Ambiguous        Reason = "ambiguous"         // a call may have had its effect, and it cannot be told
	Internal         Reason = "internal"          // a fault of this program
)

// Reasons lists every reason, in the contract's order.
func Reasons() []Reason {
	return []Reason{Undecodable, Invalid, Rejected, NotFound, Forbidden, RetriesExhausted, Expired, Ambiguous, Internal}
}

// Header names.
const (
	headerTopic         = "__dlq.errors.topic"
	headerPartition     = "__dlq.errors.partition"
	headerOffset        = "__dlq.errors.offset"
	headerGroup         = "__dlq.errors.group"
	headerDeliveryCount = "__dlq.errors.delivery.count"
	headerMessage       = "__dlq.errors.message"

	headerReason        = "ringbridge.dlq.reason"
	headerHTTPStatus    = "ringbridge.dlq.http.status"
	headerErrorCode     = "ringbridge.dlq.error.code"
	headerFirstFailedAt = "ringbridge.dlq.first.failed.at"
	headerFailedAt      = "ringbridge.dlq.failed.at"
	headerRedrives      = "ringbridge.dlq.redrives"

	// HeaderContentType and HeaderContentEncoding come from HTTP, with bytes that were refused as they
	// came. They are needed to read them again, and are wrong on what was read.
	HeaderContentType     = "Content-Type"
	HeaderContentEncoding = "Content-Encoding"

	headerCount = 12 // of ours at most

	ownPrefix   = "ringbridge.dlq."
	kafkaPrefix = "__dlq.errors."
)

// Sizes at which a value is cut, in bytes. A header travels with every copy of
// the letter; a kilobyte tells an operator what is needed.
const (
	maxMessage = 1024
	maxShort   = 256
)

// A Letter says where a record came from and why it was given up.
type Letter struct {
	Topic         string    // the topic it was read from; "" = it came from no topic
	Partition     int32     // its partition there
	Offset        int64     // its offset there
	Group         string    // the consumer group that gave it up
	Attempts      int       // calls made for it
	Message       string    // what went wrong, for people; neither secrets nor customers' text
	Reason        Reason    // why, from the closed set
	HTTPStatus    int       // status of the last call; 0 = there was no call
	ErrorCode     string    // the API's error code; "" = none
	FirstFailedAt time.Time // when it failed first; zero = at FailedAt
	FailedAt      time.Time // when it was given up
	Redrives      int       // how often it was sent back before
}

// Headers returns the headers of the letter: the original ones without any that
// are ours, then ours.
func (l Letter) Headers(original []kgo.RecordHeader) []kgo.RecordHeader {
	headers := Strip(original)
	add := func(key, value string, size int) {
		if value != "" {
			headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(cut(value, size))})
		}
	}
	if l.Topic != "" {
		add(headerTopic, l.Topic, maxShort)
		add(headerPartition, strconv.Itoa(int(l.Partition)), maxShort)
		add(headerOffset, strconv.FormatInt(l.Offset, 10), maxShort)
	}
	add(headerGroup, l.Group, maxShort)
	add(headerDeliveryCount, strconv.Itoa(l.Attempts), maxShort)
	add(headerMessage, l.Message, maxMessage)
	add(headerReason, string(l.Reason), maxShort)
	if l.HTTPStatus != 0 {
		add(headerHTTPStatus, strconv.Itoa(l.HTTPStatus), maxShort)
	}
	add(headerErrorCode, l.ErrorCode, maxShort)
	first := l.FirstFailedAt
	if first.IsZero() {
		first = l.FailedAt
	}
	add(headerFirstFailedAt, first.UTC().Format(time.RFC3339Nano), maxShort)
	add(headerFailedAt, l.FailedAt.UTC().Format(time.RFC3339Nano), maxShort)
	add(headerRedrives, strconv.Itoa(l.Redrives), maxShort)
	return headers
}

// Parse reads a letter's headers; ok is false when they are no letter's.
// Values that cannot be read are left zero: a letter is shown as far as it goes.
func Parse(headers []kgo.RecordHeader) (l Letter, ok bool) {
	for _, h := range headers {
		value := string(h.Value)
		switch h.Key {
		case headerTopic:
			l.Topic = value
		case headerPartition:
			l.Partition = int32(number(value))
		case headerOffset:
			l.Offset = number(value)
		case headerGroup:
			l.Group = value
		case headerDeliveryCount:
			l.Attempts = int(number(value))
		case headerMessage:
			l.Message = value
		case headerReason:
			l.Reason, ok = Reason(value), true
		case headerHTTPStatus:
			l.HTTPStatus = int(number(value))
		case headerErrorCode:
			l.ErrorCode = value
		case headerFirstFailedAt:
			l.FirstFailedAt = instant(value)
		case headerFailedAt:
			l.FailedAt = instant(value)
		case headerRedrives:
			l.Redrives = int(number(value))
		}
	}
	return l, ok
}

// Redrives returns how often the record was sent back from the dead letters; 0
// for one that a producer wrote.
func Redrives(headers []kgo.RecordHeader) int {
	for _, h := range headers {
		if h.Key == headerRedrives {
			return int(number(string(h.Value)))
		}
	}
	return 0
}

// Redriven returns the headers of a letter that is sent back for the nth time:
// the producer's own, and the count.
func Redriven(headers []kgo.RecordHeader, n int) []kgo.RecordHeader {
	return append(Strip(headers), kgo.RecordHeader{Key: headerRedrives, Value: []byte(strconv.Itoa(n))})
}

// Strip returns the headers without those of a dead letter, in a new slice.
func Strip(headers []kgo.RecordHeader) []kgo.RecordHeader {
	kept := make([]kgo.RecordHeader, 0, len(headers)+headerCount)
	for _, h := range headers {
		if !strings.HasPrefix(h.Key, ownPrefix) && !strings.HasPrefix(h.Key, kafkaPrefix) {
			kept = append(kept, h)
		}
	}
	return kept
}

// cut shortens s to at most size bytes of valid UTF-8.
func cut(s string, size int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
