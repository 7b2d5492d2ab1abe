package console

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Times are told in UTC, as in the log.
const dayForm = "2006-01-02 15:04:05"

// count groups the digits of a whole number: 12,340.
func count[N int | int64 | float64](n N) string {
	text := strconv.FormatInt(int64(math.Round(float64(n))), 10)
	start := 0
	if text[0] == '-' {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// perSecond tells a rate; what is slower than one in ten seconds is told by the
// minute.
func perSecond(rate float64) string {
	switch {
	case math.IsNaN(rate):
		return "–"
	case rate == 0:
		return "0/s"
	case rate < 0.1:
		return strconv.FormatFloat(rate*60, 'f', 1, 64) + "/min"
	case rate < 10:
		return strconv.FormatFloat(rate, 'f', 1, 64) + "/s"
	}
	return count(rate) + "/s"
}

// took tells how long something took, given in seconds.
func took(s float64) string {
	switch {
	case math.IsNaN(s):
		return "–"
	case s < 0.001:
		return "< 1 ms"
	case s < 1:
		return strconv.FormatFloat(s*1000, 'f', 0, 64) + " ms"
	case s < 10:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	}
	return span(time.Duration(s * float64(time.Second)))
}

// span tells a time that passes, in two units at most: 3 s, 4 min 10 s, 2 h 5 min, 3 d 4 h.
func span(d time.Duration) string {
	d = max(0, d)
	const day = 24 * time.Hour
	two := func(big time.Duration, unit string, small time.Duration, smaller string) string {
		text := fmt.Sprintf("%d %s", d/big, unit)
		if rest := d % big / small; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, smaller)
		}
		return text
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return two(time.Minute, "min", time.Second, "s")
	case d < day:
		return two(time.Hour, "h", time.Minute, "min")
	}
	return two(day, "d", time.Hour, "h")
}

// ago tells how long ago a time was, or in how long it will be.
func ago(at time.Time) string {
	switch d := time.Since(at); {
	case at.IsZero():
		return "never"
	case d < 0:
		return "in " + span(-d+time.Second-1)
	default:
		return span(d) + " ago"
	}
}

// utc tells a time in full; iso is the same for programs.
func utc(at time.Time) string { return at.UTC().Format(dayForm) + " UTC" }
func iso(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// stamp tells a time as finely as records do; with the day where it is not lately.
func stamp(at time.Time) string {
	if time.Since(at) < 12*time.Hour {
		return at.UTC().Format("15:04:05.000")
	}
	return at.UTC().Format(dayForm + ".000")
}

// short cuts what a page has no room for; pages that show it whole are a link away.
func short(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n-1]) + "…"
}

// plural returns "1 letter", "2 letters".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
