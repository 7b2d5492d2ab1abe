package ringcentral

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// socialRow is what a row of a list shows of itself, in the words of both generations.
type socialRow struct {
	ThreadID         *string  `json:"threadId"`
	ChannelID        *string  `json:"channelId"`
	SourceID         *string  `json:"sourceId"`
	InterventionID   *string  `json:"interventionId"`
	AuthorIdentityID *string  `json:"authorIdentityId"`
	IdentityGroupID  *string  `json:"identityGroupId"`
	Status           *string  `json:"status"`
	Direction        *string  `json:"contentDirection"`
	IdentityType     *string  `json:"identityType"`
	UUID             *string  `json:"uuid"`
	UserIDs          []string `json:"userIds"`

	CreationTime     Timestamp `json:"creationTime"`
	LastModifiedTime Timestamp `json:"lastModifiedTime"`
}

func (r socialRow) channel() *string {
	if r.ChannelID == nil {
		return r.SourceID
	}
	return r.ChannelID
}

// direction is told by the field or, where rows have none yet, by the status.
func (r socialRow) direction() *string {
	if r.Direction != nil || r.Status == nil {
		return r.Direction
	}
	for _, direction := range []string{Incoming, Outgoing} {
		if containsFold(statusesOf(direction), *r.Status) {
			return &direction
		}
	}
	return nil
}

// filter is one filter of a query and the field that shows whether it was heeded.
type filter struct {
	name   string
	values []string
	field  func(socialRow) *string
}

// checkContents returns what holds a page of contents against its query. The search for a text can't be checked.
func (n names) checkContents(q SocialQuery) func([]json.RawMessage) error {
	var direction []string
	if q.Direction != "" {
		direction = []string{q.Direction}
	}
	filters := []filter{
		{n.thread, q.ThreadIDs, func(r socialRow) *string { return r.ThreadID }},
		{n.channel, q.ChannelIDs, socialRow.channel},
		{n.intervention, q.InterventionIDs, func(r socialRow) *string { return r.InterventionID }},
		{n.author, q.AuthorIDs, func(r socialRow) *string { return r.AuthorIdentityID }},
		{n.authorGroup, q.AuthorGroupIDs, func(r socialRow) *string { return r.IdentityGroupID }},
		{"status", q.Status, func(r socialRow) *string { return r.Status }},
		{"contentDirection", direction, socialRow.direction},
	}
	return checkRows(filters, q.OrderBy, nil)
}

// checkIdentities does the same for a page of identities. They don't show their channel.
func checkIdentities(q SocialIdentitiesQuery) func([]json.RawMessage) error {
	one := func(value string) []string {
		if value == "" {
			return nil
		}
		return []string{value}
	}
	filters := []filter{
		{"identityGroupIds", q.GroupIDs, func(r socialRow) *string { return r.IdentityGroupID }},
		{"identityType", one(q.Type), func(r socialRow) *string { return r.IdentityType }},
		{"uuid", one(q.UUID), func(r socialRow) *string { return r.UUID }},
	}
	return checkRows(filters, q.OrderBy, func(r socialRow) string {
		if q.UserID != "" && !slices.Contains(r.UserIDs, q.UserID) {
			return "userId"
		}
		return ""
	})
}

// checkRows looks at each row through the filters, and at their order. A row that doesn't have a filter's field can't tell. The error names
// the filter and no value.
func checkRows(filters []filter, order OrderBy, more func(socialRow) string) func([]json.RawMessage) error {
	return func(records []json.RawMessage) error {
		var before time.Time
		for _, record := range records {
			var row socialRow
			_ = json.Unmarshal(record, &row) // a field of another shape shows nothing
			name := missed(filters, row)
			if name == "" && more != nil {
				name = more(row)
			}
			if name != "" {
				return fmt.Errorf("%w: %s", ErrFilterIgnored, name)
			}
			at := row.orderedBy(order)
			if out(order, before, at) {
				return fmt.Errorf("%w: orderBy", ErrFilterIgnored)
			}
			if !at.IsZero() {
				before = at
			}
		}
		return nil
	}
}

// missed returns the name of the first filter that would not have let the row through.
func missed(filters []filter, row socialRow) string {
	for _, f := range filters {
		if value := f.field(row); value != nil && len(f.values) > 0 && !containsFold(f.values, *value) {
			return f.name
		}
	}
	return ""
}

// orderedBy returns the time that order sorts by; zero where no order was asked for, or it can't be read.
func (r socialRow) orderedBy(order OrderBy) time.Time {
	switch order {
	case "":
		return time.Time{}
	case NewestModified, OldestModified:
		return r.LastModifiedTime.Time
	default:
		return r.CreationTime.Time
	}
}

// out reports whether at may not follow before.
func out(order OrderBy, before, at time.Time) bool {
	if before.IsZero() || at.IsZero() {
		return false
	}
	if strings.HasPrefix(string(order), "-") {
		return at.After(before)
	}
	return at.Before(before)
}
