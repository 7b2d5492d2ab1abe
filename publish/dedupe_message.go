package publish

import (
	"slices"
	"strconv"
)

// maxStatuses bounds the statuses remembered of one message: six are known, and a
// message that has had so many has no news to tell.
const maxStatuses = 16

// A messageState is what was published of a message. The zero value, with an
// exact timeline, is a message never met.
type messageState struct {
	timeline
	sighted  bool     // message.received or message.sent was published
	presence presence // the newest known
	rank     rank     // the highest met
	revivals uint64   // how often it was restored
	heard    int64    // ms when the newest of its deletions, purges and restorations came in
	statuses []uint64 // fingerprints of those published, never changed in place
	tracked  tracked
}

// weigh judges an arrival against the state and returns the events to publish, in
// their order, and the state after them.
//
//	is there      never sighted ──▶ message.received or .sent, whenever it was so
//	              else          ──▶ message.status_changed   a status not published yet, and not of a lower rank
//	                                message.updated          another tracked field, restored, or purged after it was deleted
//	is gone       was not       ──▶ message.deleted          once for each time
//
// An arrival older than the state changes nothing that is known. One that tells no
// time, as a sync does of what is gone, is judged by what it says: a rank only
// grows, what is known stays, and a deletion counts when it came in after the last
// restoration did. The rows of one message come in as they were read.
func (s messageState) weigh(f *messageFinding) ([]verdict, messageState) {
	switch {
	case !s.sighted && !f.presence.gone():
		return s.sight(f)
	case f.at == 0:
		return s.change(f, s.at)
	case s.older(f.at) || s.met(f.at, f.state()):
		return nil, s
	}
	return s.change(f, f.at)
}

// state identifies what an arrival tells.
func (f *messageFinding) state() uint64 {
	return fingerprint("arrival", hexText(f.tracked.fingerprint(f.at)), hexText(f.status), hexText(uint64(f.presence)))
}

func hexText(value uint64) string { return strconv.FormatUint(value, 16) }

// sight publishes a message for the first time. When it is older than what is
// known, its own state is published, and what is known stays.
func (s messageState) sight(f *messageFinding) ([]verdict, messageState) {
	v := verdict{eventType: typeReceived, repaired: true}
	if f.outbound() {
		v = verdict{eventType: typeSent} // of which no webhook tells
	}
	at := f.at
	if at == 0 {
		at = max(s.at, f.created)
	}
	next := s
	next.sighted = true
	if s.older(at) {
		next.tracked = f.tracked.overlaid(s.tracked)
		if len(s.statuses) == 0 {
			next.statuses, next.rank = f.known(nil), f.rank
		}
		return []verdict{v}, next
	}
	if !f.webhook || !s.presence.gone() {
		next = next.revived(f)
	}
	next.tracked = s.tracked.overlaid(f.tracked)
	next.statuses, next.rank = f.known(s.statuses), max(s.rank, f.rank)
	next.timeline = s.with(at, f.state())
	return []verdict{v}, next
}

// known returns the statuses with the finding's.
func (f *messageFinding) known(statuses []uint64) []uint64 {
	if f.status == 0 || slices.Contains(statuses, f.status) || len(statuses) >= maxStatuses {
		return statuses
	}
	return append(slices.Clone(statuses), f.status)
}

// revived returns the state with the finding's presence, when it is there.
func (s messageState) revived(f *messageFinding) messageState {
	if s.presence.gone() && f.presence == presenceAlive {
		s.revivals++
		s.heard = max(s.heard, f.read)
	}
	if f.presence != presenceUnknown {
		s.presence = f.presence
	}
	return s
}

// change publishes what is new about a message.
func (s messageState) change(f *messageFinding, at int64) ([]verdict, messageState) {
	var out []verdict
	next, news := s, f.tracked
	if s.advances(f) {
		if len(s.statuses) > 0 {
			out = append(out, verdict{eventType: typeStatusChanged, occurrence: *f.message.Status})
			news[messageDeliveryError], news[messageRecipients] = 0, 0 // the event tells them
		}
		next.statuses, next.rank = f.known(s.statuses), max(s.rank, f.rank)
	}
	next, deleted, updated := next.moved(f)
	if f.at == 0 {
		next.tracked = f.tracked.overlaid(s.tracked)
	} else {
		next.tracked = s.tracked.overlaid(f.tracked)
		next.timeline = s.with(at, f.state())
		updated = updated || s.tracked.differs(news)
	}
	if result := next.result(at); updated && !s.met(at, result) {
		out = append(out, verdict{eventType: typeMessageUpdated, occurrence: hexText(result)})
		next.timeline = next.with(at, result)
	}
	if deleted {
		out = append(out, verdict{eventType: typeDeleted, occurrence: next.deletion()})
	}
	return out, next
}

// moved returns the state with the finding's presence, and what became of the
// message: it was deleted, or what is left of it changed.
func (s messageState) moved(f *messageFinding) (next messageState, deleted, updated bool) {
	was, is := s.presence, f.presence
	stale := f.at == 0 && f.read <= s.heard
	deleted = is.gone() && !was.gone() && !stale
	purged := was == presenceDeleted && is == presencePurged && !stale
	restored := was.gone() && is == presenceAlive && f.at != 0 && !f.webhook
	switch {
	case deleted, purged:
		s.presence, s.heard = is, max(s.heard, f.read)
	case restored:
		s = s.revived(f)
	case was == presenceUnknown && !is.gone():
		s.presence = is
	}
	return s, deleted, purged || restored
}

// result identifies the state itself, at a time.
func (s messageState) result(at int64) uint64 {
	return fingerprint("result", hexText(s.tracked.fingerprint(at)), hexText(uint64(s.presence)), hexText(s.revivals))
}

// advances tells whether the finding's status is one to publish.
func (s messageState) advances(f *messageFinding) bool {
	switch {
	case f.status == 0 || slices.Contains(s.statuses, f.status) || len(s.statuses) >= maxStatuses:
		return false
	case f.at == 0:
		return f.rank > s.rank
	}
	return f.rank == 0 || f.rank >= s.rank
}

// deletion tells the message's deletions apart: there is one more after each time
// that it was restored. It is the same wherever the first one is met, with or
// without the message.
func (s messageState) deletion() string {
	if s.revivals == 0 {
		return ""
	}
	return strconv.FormatUint(s.revivals, 10)
}
