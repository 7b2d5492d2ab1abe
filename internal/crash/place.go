package crash

// A place is where a message was taken. Two replicas that both keep webhooks on a disk of their own cannot keep order
// between them: that alone is not counted.
type place struct {
	inbox    bool            // it was in the inbox when its sender was answered
	spools   map[string]bool // replicas on whose disk it may have been then
	overtake map[string]int  // by replica: messages with a lower number may have waited on its disk when this was sent
}

// Acknowledged notes that a webhook was answered 200 by a replica on whose disk nothing waits: it is in the inbox.
func (b *Book) Acknowledged(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		m := b.messages[id]
		m.due, m.inbox = true, true
	}
}

// Spooled notes that a webhook was answered 200 by a replica on whose disk it may wait.
func (b *Book) Spooled(replica string, ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		m := b.messages[id]
		m.due = true
		if m.spools == nil {
			m.spools = map[string]bool{}
		}
		m.spools[replica] = true
	}
}

// MayOvertake notes, before a webhook is sent to another replica, that something waits on this one's disk. Messages of
// one webhook do not overtake each other.
func (b *Book) MayOvertake(replica string, ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.messages[ids[0]].number
	for _, id := range ids {
		m := b.messages[id]
		if m.overtake == nil {
			m.overtake = map[string]int{}
		}
		m.overtake[replica] = first
	}
}

// mayOvertake tells whether the message may come before an earlier one: that waited on disks, and on no other than those
// that this one was not sent to.
func (m *message) mayOvertake(earlier *message) bool {
	if earlier.inbox || len(earlier.spools) == 0 {
		return false
	}
	for replica := range earlier.spools {
		if earlier.number >= m.overtake[replica] {
			return false
		}
	}
	return true
}
