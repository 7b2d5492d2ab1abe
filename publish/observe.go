package publish

import (
	"cmp"
)

// seen returns what an arrival shows of its content, which came in at a time (ms).
func (f *contentFinding) seen(received int64) []*observation {
	if f.complete {
		return []*observation{observeRow(contentFields, &f.content, f.changed, received)}
	}
	issued := millis(f.occurredAt)
	o := observeEvent(contentFields, &f.content, shownIn(f.told, f.derived))
	o.from, o.at = issued-issueLag.Milliseconds(), min(issued, received)
	if issued > received+clockSlack.Milliseconds() {
		o.from = 0 // nobody knows how old it is
	}
	o.print = fingerprint(append(o.values, f.occurrence)...)
	return []*observation{o, observeEvent(contentFields, &f.content, derivedIn(f.derived))}
}

// shownIn passes the fields that an event names, or that it shows without naming them: the readable
// part of a list.
func shownIn(told, derived map[string]bool) func(name, stored string) bool {
	return func(name, stored string) bool { return !derived[name] && (told[name] || stored != "") }
}

// derivedIn passes the fields that follow from others: they fill in what no way in has shown.
func derivedIn(derived map[string]bool) func(name, stored string) bool {
	return func(name, _ string) bool { return derived[name] }
}

const availability = "availability"

// seen returns what an arrival shows of its message, of which the state is known.
func (f *messageFinding) seen(known *messageState) []*observation {
	if f.complete {
		return []*observation{observeRow(messageFields, &f.message, f.changed, f.read)}
	}
	shown := shownIn(f.told, f.derived)
	timed := observeEvent(messageFields, &f.message, func(name, stored string) bool {
		return !f.timeless() && name != availability && shown(name, stored)
	})
	at := cmp.Or(bounded(f.changed, f.read), f.read)
	timed.from, timed.at = at, min(at, f.read)
	timed.print = fingerprint(timed.values...)
	// What has no time fills in what is not known: all that a sync shows of what is gone, and that
	// a message exists, which its creation does not show for later. A status only advances.
	rest := observeEvent(messageFields, &f.message, func(name, stored string) bool {
		return (f.timeless() || name == availability) && shown(name, stored)
	})
	rest.rank = int(rankOf(deref(f.message.Status)))
	return append(f.gone(known), timed, rest, observeEvent(messageFields, &f.message, derivedIn(f.derived)))
}

// gone returns what an arrival without a time shows of a message that is gone: since it changed
// last, and before this came in, it was deleted. What was read before the newest row, or came in
// before the last restoration, shows nothing: it is a repetition.
func (f *messageFinding) gone(known *messageState) []*observation {
	if !f.timeless() || !presenceOf(f.message.Availability).gone() || f.read < known.read || f.read <= known.revived {
		return nil
	}
	o := observeEvent(messageFields, &f.message, func(name, _ string) bool { return name == availability })
	o.from, o.at = known.confirmed+1, f.read
	return []*observation{o}
}

// timeless reports whether the arrival says nothing of when its message was so.
func (f *messageFinding) timeless() bool { return !f.complete && f.changed == nil }
