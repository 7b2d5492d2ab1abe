package ringcentral

import (
	"net/url"
	"slices"
	"strings"
)

// names are what a generation of the contents API calls its filters and fields. A wrong name is not refused: the API ignores it and
// answers with everything.
type names struct {
	intervention, author, authorGroup, channel, thread string
	direction                                          string // empty = no such filter
	channelID                                          string // of bodies, and of the filter of identities
}

// namesOf chooses the generation by the base path.
func namesOf(contentsPath string) names {
	if contentsPath == AdvancedMessaging {
		return names{
			intervention: "intervention", author: "identity", authorGroup: "identityGroup", channel: "source", thread: "thread", channelID: "sourceId",
		}
	}
	return names{
		intervention: "interventionIds", author: "authorIdentityIds", authorGroup: "authorIdentityGroupIds", channel: "channelIds",
		thread: "threadIds", direction: "contentDirection", channelID: "channelId",
	}
}

// The directions of a content.
const (
	Incoming = "Incoming"
	Outgoing = "Outgoing"
)

// statusesOf lists the statuses of a direction.
func statusesOf(direction string) []string {
	if direction == Outgoing {
		return []string{"UserReply", "UserInitiated", "PendingApproval"}
	}
	return []string{"New", "Assigned", "Replied", "Ignored"}
}

// contents builds the query of a list of contents.
func (n names) contents(q SocialQuery) (url.Values, error) {
	if emptyFilter(q.ThreadIDs, q.ChannelIDs, q.InterventionIDs, q.AuthorIDs, q.AuthorGroupIDs, q.Status, q.Text) {
		return nil, invalid(opContents, "an empty filter finds everything")
	}
	if !slices.Contains([]string{"", Incoming, Outgoing}, q.Direction) {
		return nil, invalid(opContents, "a direction is Incoming or Outgoing")
	}
	if !known(q.OrderBy) {
		return nil, invalid(opContents, "no such order")
	}
	statuses := n.statuses(q)
	if len(q.Status) > 0 && len(statuses) == 0 {
		return nil, invalid(opContents, "no content of that direction has that status")
	}
	query := url.Values{}
	for name, values := range map[string][]string{
		n.thread: q.ThreadIDs, n.channel: q.ChannelIDs, n.intervention: q.InterventionIDs, n.author: q.AuthorIDs, n.authorGroup: q.AuthorGroupIDs,
		"status": statuses, "text": q.Text,
	} {
		if len(values) > 0 {
			query[name] = values
		}
	}
	if n.direction != "" && q.Direction != "" {
		query.Set(n.direction, q.Direction)
	}
	paging(query, q.OrderBy, q.PageToken, q.PerPage)
	return query, nil
}

// statuses returns the filter of status. Where there is none for the direction, it says what that would.
func (n names) statuses(q SocialQuery) []string {
	if n.direction != "" || q.Direction == "" {
		return q.Status
	}
	of := statusesOf(q.Direction)
	if len(q.Status) == 0 {
		return of
	}
	var both []string
	for _, status := range q.Status {
		if containsFold(of, status) {
			both = append(both, status)
		}
	}
	return both
}

// identities builds the query of a list of identities.
func (n names) identities(q SocialIdentitiesQuery) (url.Values, error) {
	if emptyFilter(q.GroupIDs) {
		return nil, invalid(opIdentities, "an empty filter finds everything")
	}
	if !slices.Contains([]string{"", "Agent", "Customer"}, q.Type) {
		return nil, invalid(opIdentities, "a type is Agent or Customer")
	}
	if !known(q.OrderBy) {
		return nil, invalid(opIdentities, "no such order")
	}
	query := url.Values{}
	for name, value := range map[string]string{n.channelID: q.ChannelID, "identityType": q.Type, "userId": q.UserID, "uuid": q.UUID} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(q.GroupIDs) > 0 {
		query["identityGroupIds"] = q.GroupIDs
	}
	paging(query, q.OrderBy, q.PageToken, q.PerPage)
	return query, nil
}

func known(order OrderBy) bool {
	return slices.Contains([]OrderBy{"", NewestModified, OldestModified, NewestCreated, OldestCreated}, order)
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(of string) bool { return strings.EqualFold(of, s) })
}
