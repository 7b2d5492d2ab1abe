package publish

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// seen returns what an arrival shows of its content, which came in at a time (ms).
func (f *contentFinding) seen(received int64) []*observation {
	o := observe(contentFields, &f.content, f.complete, f.told)
	if f.complete {
		o.changed, o.read = bounded(f.changed, received), received
		return []*observation{o}
	}
	issued := millis(f.occurredAt)
	if issued > received+clockSlack.Milliseconds() {
		issued = received
	}
	o.from, o.at = issued-issueLag.Milliseconds(), min(issued, received)
	o.tie = tieOf(f.occurrence, o)
	out := []*observation{o}
	if len(f.derived) > 0 { // what no way in has shown yet
		out = append(out, observe(contentFields, &f.content, false, f.derived))
	}
	return out
}

// maxTie bounds the part of an occurrence that orders webhooks of one moment.
const maxTie = 32

// tieOf orders webhooks of one moment: the ids of their events rise.
func tieOf(occurrence string, o *observation) string {
	return strings.ToValidUTF8(occurrence[:min(len(occurrence), maxTie)], "") + "/" + strconv.FormatUint(fingerprint(o.values...), 16)
}

// seen returns what an arrival shows of its message, of which the state is known.
func (f *messageFinding) seen(known *messageState) []*observation {
	if f.complete {
		o := observe(messageFields, &f.message, true, nil)
		o.changed, o.read = bounded(f.changed, f.read), f.read
		return []*observation{o}
	}
	timed := func(number int) bool { return !f.timeless() && messageFields[number].name != "availability" }
	o := observe(messageFields, &f.message, false, f.told)
	o.at = min(cmp.Or(bounded(f.changed, f.read), f.read), f.read)
	o.from, o.tie = o.at, tieOf("", o)
	// What has no time fills in what is not known: all that a sync shows of what is gone, and that
	// a message exists, which its creation does not show for later. A status only advances.
	rest := *o
	rest.from, rest.at, rest.tie = 0, 0, strconv.Itoa(int(rankOf(deref(f.message.Status))))
	rest.shown = slices.DeleteFunc(slices.Clone(o.shown), timed)
	o.shown = slices.DeleteFunc(o.shown, func(number int) bool { return !timed(number) })
	observations := append(f.gone(known), o, &rest)
	if len(f.derived) > 0 {
		observations = append(observations, observe(messageFields, &f.message, false, f.derived))
	}
	return observations
}

// gone returns what an arrival without a time shows of a message that is gone: since it changed
// last, and before this came in, it was deleted. What was read before the newest row, or came in
// before the last restoration, shows nothing: it is a repetition.
func (f *messageFinding) gone(known *messageState) []*observation {
	if !f.timeless() || !presenceOf(f.message.Availability).gone() || f.read < known.lastRead || f.read <= known.revived {
		return nil
	}
	o := observe(messageFields, &f.message, false, map[string]bool{"availability": true})
	o.from, o.at = known.confirmed+1, f.read
	return []*observation{o}
}

// timeless reports whether the arrival says nothing of when its message was so.
func (f *messageFinding) timeless() bool { return !f.complete && f.changed == nil }
