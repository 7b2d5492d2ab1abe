package timeline

// A treatment says what becomes of a field for those who may not see what
// customers write.
type treatment int

const (
	unknown   treatment = iota // a field that nobody has thought of: replaced
	safe                       // ours, or the API's, and tells nothing of a person
	customers                  // what a person wrote, or what tells who they are: replaced
	phone                      // a phone number, or several: the last digits stay
	inside                     // a record of its own, or several
	oneOf                      // one of several records, under its name
)

// classify returns how a field (SCHEMA.FIELD) is treated, and the schema of what
// is inside.
//
// Ids that the APIs make up are safe; ids of a channel are not: they can be
// phone numbers and addresses.
func classify(field string) (kind treatment, nested string) {
	switch field {
	case "ContentEvent.content":
		return inside, "Content"
	case "ContentEvent.author":
		return inside, "Identity"
	case "Content.attachments", "Message.attachments":
		return inside, "Attachment"
	case "MessageEvent.message":
		return inside, "Message"
	case "Message.from":
		return inside, "Sender"
	case "Message.to":
		return inside, "Recipient"
	case "SendSms.attachments":
		return inside, "Upload"
	case "ReplyCommand.action":
		return oneOf, ""
	case "Sender.phone_number", "Recipient.phone_number", "SendSms.from", "SendSms.to", "CreateContent.to",
		"Identity.home_phone", "Identity.mobile_phone":
		return phone, ""
	}
	switch {
	case isCustomers(field):
		return customers, ""
	case isSafe(field):
		return safe, ""
	}
	return unknown, ""
}

func isCustomers(field string) bool {
	switch field {
	case "Arrival.body", "ContentEvent.raw", "MessageEvent.raw", "ActivityEvent.data",
		"Content.title", "Content.body", "Content.context_data", "Content.foreign_id", "Content.foreign_categories", "Content.synchronization_error", "Content.rating_reason",
		"Attachment.filename", "Attachment.url", "Upload.filename", "Upload.content",
		"Identity.foreign_id", "Identity.display_name", "Identity.screen_name", "Identity.first_name", "Identity.last_name",
		"Identity.email", "Identity.company", "Identity.gender", "Identity.avatar_url", "Identity.extra",
		"Message.text", "Message.owner_name", "Sender.name", "Recipient.name",
		"ReplyCommand.metadata", "SendSms.text", "Handover.identity_foreign_id",
		"CreateContent.body", "CreateContent.title", "CreateContent.cc", "CreateContent.bcc", "CreateContent.structured_content", "CreateContent.context_data":
		return true
	}
	return false
}

func isSafe(field string) bool {
	switch field {
	case "Arrival.arrival_id", "Arrival.origin", "Arrival.api", "Arrival.account", "Arrival.kind", "Arrival.resource_id", "Arrival.received_at", "Arrival.content_type",
		"ContentEvent.event_id", "ContentEvent.event_type", "ContentEvent.occurred_at", "ContentEvent.received_at", "ContentEvent.origin", "ContentEvent.api", "ContentEvent.account",
		"MessageEvent.event_id", "MessageEvent.event_type", "MessageEvent.occurred_at", "MessageEvent.received_at", "MessageEvent.origin", "MessageEvent.account",
		"ActivityEvent.event_id", "ActivityEvent.event_type", "ActivityEvent.occurred_at", "ActivityEvent.received_at", "ActivityEvent.account",
		"ActivityEvent.resource_type", "ActivityEvent.resource_id", "ActivityEvent.user_id",
		"Content.id", "Content.source_id", "Content.source_type", "Content.thread_id", "Content.intervention_id", "Content.in_reply_to_id", "Content.in_reply_to_author_id",
		"Content.author_id", "Content.creator_id", "Content.direction", "Content.status", "Content.type", "Content.language", "Content.body_format",
		"Content.private", "Content.published", "Content.remotely_deleted", "Content.category_ids", "Content.created_from", "Content.created_at", "Content.updated_at",
		"Content.synchronization_status", "Content.rating",
		"Attachment.id", "Attachment.content_type", "Attachment.size", "Upload.content_type",
		"Identity.id", "Identity.api", "Identity.account", "Identity.type", "Identity.identity_group_id", "Identity.user_ids", "Identity.created_at", "Identity.updated_at",
		"Message.id", "Message.conversation_id", "Message.extension_id", "Message.direction", "Message.type", "Message.status", "Message.read_status", "Message.availability",
		"Message.delivery_error_code", "Message.created_at", "Message.updated_at", "Message.segment_count", "Message.delivered_at", "Message.owner_extension_id", "Recipient.status",
		"ReplyCommand.command_id", "ReplyCommand.issued_at", "ReplyCommand.issued_by", "ReplyCommand.not_after",
		"CreateContent.api", "CreateContent.in_reply_to_id", "CreateContent.source_id", "CreateContent.body_format", "CreateContent.private", "CreateContent.author_id",
		"CreateContent.attachment_ids", "CreateContent.template_name", "CreateContent.template_language", "CreateContent.auto_submitted",
		"Handover.from", "Handover.to", "Handover.type", "Handover.app_id", "Handover.intervention_id", "Handover.thread_category_ids", "Handover.trigger",
		"UpdateMessage.message_id", "UpdateMessage.read_status", "UpdateMessage.restore", "DeleteMessage.message_id", "DeleteMessage.purge",
		"ReplyResult.command_id", "ReplyResult.state", "ReplyResult.reason", "ReplyResult.attempts", "ReplyResult.resource_id", "ReplyResult.http_status", "ReplyResult.error",
		"ReplyResult.recovered", "ReplyResult.conversation", "ReplyResult.source_partition", "ReplyResult.source_offset", "ReplyResult.at":
		return true
	}
	return false
}
