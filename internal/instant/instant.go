// Package instant reads the times that RingCentral's APIs write.
//
// The documented form is RFC 3339, but other forms are in use: epoch seconds in one field and a
// date in the next, an offset without a colon, no zone, no T. All of them are read here, so that
// every part of the program gives one value the same meaning. What has no certain meaning is no
// time: the package never guesses a date.
package instant

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parse reads a JSON value, a string or a number; see ParseText for the forms. It reports false for
// null, for any other JSON value, and for what is no time.
func Parse(raw json.RawMessage) (time.Time, bool) {
	if len(raw) == 0 {
		return time.Time{}, false
	}
	switch raw[0] {
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return time.Time{}, false
		}
		return ParseText(text)
	case '{', '[', 't', 'f', 'n':
		return time.Time{}, false
	}
	return ParseText(string(raw))
}

// ParseText reads a time and returns it in UTC, with all the precision that it is written in. It
// reports false for what is no time. The forms are
//
//	2026-11-30T10:00:00Z          RFC 3339, also in small letters, with a space in place of the T,
//	                              without separators, without seconds, with any number of
//	                              fraction digits, or with a zone name behind it in brackets
//	2026-11-30T10:00:00 UTC       the zone: Z, UTC, GMT, +05, +0530, +05:30; none is UTC
//	2026-11-30T24:00:00Z          the end of a day
//	2016-12-31T23:59:60Z          a leap second: the second after it
//	Mon, 30 Nov 2026 10:00:00 GMT as in e-mail and HTTP, and what C, Ruby and Twitter write
//	1796032800                    seconds since 1970, or milli-, micro- or nanoseconds, by magnitude;
//	                              a fraction is allowed
//
// The number of each unit must lie between 1973-03-03 and 2286-11-20, where no two units overlap. A
// date without a time of day is no time, and neither is a year outside 1 to 9999 in UTC.
func ParseText(text string) (time.Time, bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	t, err := time.Parse(time.RFC3339, text) // by far the most frequent
	if err != nil {
		var ok bool
		if t, ok = parseOther(text); !ok {
			return time.Time{}, false
		}
	}
	t = t.UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

func parseOther(text string) (time.Time, bool) {
	if text == "" || len(text) > maxLength {
		return time.Time{}, false
	}
	if strings.Trim(text, "0123456789.E+-") == "" {
		if t, ok := parseEpoch(text); ok {
			return t, true
		}
	}
	if t, ok := parseISO(text); ok {
		return t, true
	}
	return parseWords(text)
}

// maxLength bounds the work on what is no time; the longest form has some 50 bytes.
const maxLength = 100

// parseEpoch reads the time since 1970-01-01T00:00:00Z. All units have the same range in time, in
// which the numbers of two units differ by their length.
func parseEpoch(text string) (time.Time, bool) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || text[0] < '0' || text[0] > '9' {
		return time.Time{}, false
	}
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} { // a second has so many
		if value >= 1e8*unit && value < 1e10*unit {
			return epoch(value, unit), true
		}
	}
	return time.Time{}, false
}

// epoch returns the time of a number of which a second has unit.
func epoch(value, unit float64) time.Time {
	// The shortest digits that give the same float are those that were written.
	digits, fraction, _ := strings.Cut(strconv.FormatFloat(value, 'f', -1, 64), ".")
	whole, _ := strconv.ParseInt(digits, 10, 64)
	perSecond := int64(unit)
	nanos := whole % perSecond * (int64(time.Second) / perSecond)
	part, _ := strconv.ParseFloat("0."+fraction+"0", 64)
	nanos += int64(math.Round(part * float64(time.Second) / unit))
	return time.Unix(whole/perSecond, nanos)
}

// isoForm matches a date, a time of day, and perhaps a zone.
var isoForm = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})(?:T| +)(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)? ?` +
	`(?:(Z|UTC|GMT)|([+-])(\d{2})(?::?(\d{2}))?)?(?:\[[^\]]*\])?$`)

func parseISO(text string) (time.Time, bool) {
	part := isoForm.FindStringSubmatch(text)
	if part == nil {
		return time.Time{}, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(part[i]) // digits, or nothing
		return n
	}
	year, month, day := number(1), number(2), number(3)
	hour, minute, second := number(4), number(5), number(6)
	nanos, _ := strconv.Atoi((part[7] + "000000000")[:9])
	offset := time.Duration(number(10))*time.Hour + time.Duration(number(11))*time.Minute
	if part[9] == "-" {
		offset = -offset
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	switch {
	case date.Month() != time.Month(month) || date.Day() != day: // there is no such day
		return time.Time{}, false
	case minute > 59 || second > 60 || hour > 24 || number(10) > 23 || number(11) > 59:
		return time.Time{}, false
	case hour == 24 && (minute > 0 || second > 0 || nanos > 0):
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC).Add(-offset), true
}

// parseWords reads the forms that name the month. A zone that has a name only counts when it is UTC:
// the other names have several meanings.
func parseWords(text string) (time.Time, bool) {
	for _, layout := range []string{
		"Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST",
		time.ANSIC, time.RubyDate, time.UnixDate, time.RFC850,
	} {
		t, err := time.ParseInLocation(layout, text, time.UTC) // Parse would ask the machine's own zone for names
		if err != nil {
			continue
		}
		zone, offset := t.Zone()
		return t, offset != 0 || zone == "" || zone == "UTC" || zone == "GMT"
	}
	return time.Time{}, false
}
