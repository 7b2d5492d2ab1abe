package sandbox

import (
	"slices"
)

// Values of the parameter owner, beside extension ids.
const (
	ownerPersonal = "Personal"
	ownerAny      = "Any"
)

// Types of an extension that owns messages.
const (
	extensionUser  = "User"
	extensionQueue = "Department"
)

// CallQueue is an extension with a message store of its own, whose messages the user may see. Texts
// to and from its numbers (see [Number.Extension]) are kept there, not in the user's store: a list
// or a sync of the user's shows them only to one who names the owner.
type CallQueue struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Owner is whose store a message is in. A message of the user's own has none.
type Owner struct {
	ExtensionID   string `json:"extensionId"`
	ExtensionType string `json:"extensionType"`
	Name          string `json:"name"`
}

// queue finds a call queue; "" and the user are none.
func (p *Platform) queue(id string) *CallQueue {
	i := slices.IndexFunc(p.cfg.CallQueues, func(q CallQueue) bool { return q.ID == id })
	if i < 0 {
		return nil
	}
	return &p.cfg.CallQueues[i]
}

// storeOf is the owner of the store that a call's path names, as messages have it: "" is the user.
func (p *Platform) storeOf(c *call) string {
	if q := p.queue(c.r.PathValue("extension")); q != nil {
		return q.ID
	}
	return ""
}

// ownerOf is the owner of a number, as messages have it.
func (p *Platform) ownerOf(number string) string {
	i := slices.IndexFunc(p.cfg.Numbers, func(n Number) bool { return n.PhoneNumber == number })
	if i < 0 || p.queue(p.cfg.Numbers[i].Extension) == nil {
		return ""
	}
	return p.cfg.Numbers[i].Extension
}

// extensionOf is the id of an owner's extension.
func extensionOf(owner string) string {
	if owner == "" {
		return ExtensionID
	}
	return owner
}

// owned judges a message by its owner: those of the path's store unless others are asked for.
func (f *messageFilter) owned(m *message) bool {
	kind := extensionUser
	if m.owner != "" {
		kind = extensionQueue
	}
	if len(f.OwnerTypes) > 0 && !slices.Contains(f.OwnerTypes, kind) {
		return false
	}
	if len(f.Owners) == 0 || slices.Contains(f.Owners, ownerPersonal) && m.owner == f.Store {
		return m.owner == f.Store
	}
	return slices.Contains(f.Owners, ownerAny) || slices.Contains(f.Owners, extensionOf(m.owner))
}

// viewOwner is what a message shows of its owner.
func (p *Platform) viewOwner(m *message) *Owner {
	q := p.queue(m.owner)
	if q == nil {
		return nil
	}
	return &Owner{ExtensionID: q.ID, ExtensionType: extensionQueue, Name: q.Name}
}
