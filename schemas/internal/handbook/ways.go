package main

import "strings"

// A guide says of the fields of one record by which ways in they are shown.
type guide struct {
	Record string
	Ways   []string // the columns
	Fields []shownField
}

// A shownField is a field, and by way the member of the API's JSON that shows it: empty where none
// does.
type shownField struct {
	Name    string
	Members []string
}

// Columns of the guides. A list's row and the answer to a single GET are the same object.
const (
	byWebhook     = "Engage webhook"
	byEngageRow   = "Engage row, single GET"
	byNotice      = "Social notification"
	bySocialRow   = "Social row, single GET"
	byInstant     = "notification"
	byMessageRow  = "message-store row, single GET"
	bySync        = "message-sync"
	byContentFile = "file of an Engage row"
	bySocialFile  = "file of a Social row"
	byMessageFile = "file of a message"
	sameName      = "="
)

// shownAs returns a field's line from one text a way, parted by bars: a member's name, = for the
// field's own name, or nothing.
func shownAs(name, members string) shownField {
	f := shownField{Name: name}
	for member := range strings.SplitSeq(members, "|") {
		member = strings.TrimSpace(member)
		if rest, ok := strings.CutPrefix(member, sameName); ok {
			member = name + rest
		}
		f.Members = append(f.Members, member)
	}
	return f
}

// guides returns the guide of each record that more than one way shows. Sources: the descriptions of
// both APIs, and of the events of both.
func guides() []guide {
	return []guide{contentGuide(), identityGuide(), messageGuide(), attachmentGuide()}
}

func contentGuide() guide {
	return guide{"Content", []string{byWebhook, byEngageRow, byNotice, bySocialRow}, []shownField{
		shownAs("id", "resource.id | = | = | ="),
		shownAs("source_id", "= | = | channelId | channelId, sourceId"),
		shownAs("source_type", "=, or resource.type | = | channelType | channelType, sourceType"),
		shownAs("thread_id", "= | = | threadId | threadId"),
		shownAs("intervention_id", "= | = | interventionId | interventionId"),
		shownAs("in_reply_to_id", "= | = | inReplyToContentId | inReplyToContentId"),
		shownAs("in_reply_to_author_id", "= | = | inReplyToAuthorIdentityId | inReplyToAuthorIdentityId"),
		shownAs("author_id", "= | = | authorIdentityId | authorIdentityId"),
		shownAs("creator_id", "= | = | creatorId | creatorId"),
		shownAs("direction", "status | status | status | status"),
		shownAs("status", "= | = | = | ="),
		shownAs("type", "=, or resource.type | = | = | ="),
		shownAs("language", "= | = | = | ="),
		shownAs("title", "thread_title | = | = | ="),
		shownAs("body", "= | = | = | ="),
		shownAs("body_format", "body_input_format | body_input_format | bodyInputFormat | bodyInputFormat"),
		shownAs("private", "= | private_message | public, its opposite | public, its opposite"),
		shownAs("published", "| = | | ="),
		shownAs("remotely_deleted", "| = | | remotelyDeleted"),
		shownAs("attachments", "| = | | ="),
		shownAs("category_ids", "= | = | | categoryIds"),
		shownAs("foreign_id", "= | = | |"),
		shownAs("foreign_categories", "= | = | | foreignCategories"),
		shownAs("created_from", "= | = | createdFrom | createdFrom"),
		shownAs("created_at", "| = | | creationTime"),
		shownAs("updated_at", "| = | | lastModifiedTime"),
		shownAs("synchronization_status", "=, of exports | = | synchronizationStatus | synchronizationStatus"),
		shownAs("synchronization_error", "| = | | synchronizationError"),
		shownAs("context_data", "=, seldom | = | | contextData"),
		shownAs("rating", "| = | | ="),
		shownAs("rating_reason", "| = | |"),
	}}
}

func identityGuide() guide {
	return guide{"Identity", []string{byEngageRow, bySocialRow}, []shownField{
		shownAs("id", "= | ="),
		shownAs("api", "the bridge | the bridge"),
		shownAs("account", "the bridge | the bridge"),
		shownAs("foreign_id", "= |"),
		shownAs("type", "= | ="),
		shownAs("display_name", "= | displayName"),
		shownAs("screen_name", "screenname | screenName"),
		shownAs("first_name", "firstname | firstName"),
		shownAs("last_name", "lastname | lastName"),
		shownAs("email", "= | emailAddress"),
		shownAs("home_phone", "= | homePhone"),
		shownAs("mobile_phone", "= | mobilePhone"),
		shownAs("company", "= | ="),
		shownAs("gender", "= | ="),
		shownAs("avatar_url", "= | avatarUri"),
		shownAs("identity_group_id", "= | identityGroupId"),
		shownAs("user_ids", "= | userIds"),
		shownAs("created_at", "= | creationTime"),
		shownAs("updated_at", "= | lastModifiedTime"),
		shownAs("extra", "extra_values, and every other member | extraValues, and every other member"),
	}}
}

func messageGuide() guide {
	return guide{"Message", []string{byInstant, byMessageRow, bySync}, []shownField{
		shownAs("id", "= | = | ="),
		shownAs("conversation_id", "conversation.id, conversationId | conversation.id, conversationId | conversation.id, conversationId"),
		shownAs("extension_id", "owner.extensionId, or the event's address | extensionId, owner.extensionId, or uri | extensionId, owner.extensionId, or uri"),
		shownAs("direction", "=, else INBOUND | = | ="),
		shownAs("type", "= | = | ="),
		shownAs("from", "= | = | ="),
		shownAs("to", "= | = | ="),
		shownAs("text", "subject | subject | subject"),
		shownAs("status", "messageStatus | messageStatus | messageStatus"),
		shownAs("read_status", "readStatus | readStatus | readStatus"),
		shownAs("availability", "= | = | =, of the gone with the id alone"),
		shownAs("attachments", "= | = | ="),
		shownAs("delivery_error_code", "| deliveryErrorCode | deliveryErrorCode"),
		shownAs("created_at", "creationTime | creationTime | creationTime"),
		shownAs("updated_at", "lastModifiedTime | lastModifiedTime | lastModifiedTime"),
		shownAs("segment_count", "| segmentCount | segmentCount"),
		shownAs("delivered_at", "| smsDeliveryTime | smsDeliveryTime"),
		shownAs("owner_extension_id", "owner.extensionId | owner.extensionId | owner.extensionId"),
		shownAs("owner_name", "owner.name | owner.name | owner.name"),
	}}
}

func attachmentGuide() guide {
	return guide{"Attachment", []string{byContentFile, bySocialFile, byMessageFile}, []shownField{
		shownAs("id", "= | = | ="),
		shownAs("content_type", "= | contentType | contentType"),
		shownAs("filename", "= | = | fileName"),
		shownAs("size", "= | = | ="),
		shownAs("url", "= | uri | uri"),
	}}
}
