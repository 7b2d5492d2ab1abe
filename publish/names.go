package publish

// A naming tells what an API calls a field, now and before it was renamed; both
// are the name itself where it is called the same. nil = always the same.
type naming func(name string) (now, before string)

// called returns the name that the field has here, or would have.
func (o *object) called(name string) string {
	if o.names == nil {
		return name
	}
	now, before := o.names(name)
	if present(o.fields[now]) == nil && present(o.fields[before]) != nil {
		return before
	}
	return now
}

// platformNames is the naming of the RingCentral platform: camel case, and for
// contents two generations, of which the newer calls a source a channel.
//
// Names are matched to the letter, as everywhere: the one pair of fields that the
// API has been seen to write in both cases, of bodyFormatted, is not read.
func platformNames(name string) (now, before string) {
	switch name {
	case "source_id":
		return "channelId", "sourceId"
	case "source_type":
		return "channelType", "sourceType"
	case "filename":
		return "filename", "fileName" // of contents, of messages
	}
	if called := platformName(name); called != "" {
		return called, called
	}
	return name, name
}

// platformName returns the name of a field that has one; "" = it is called the same.
func platformName(name string) string {
	switch name {
	// Both contents and identities.
	case "created_at":
		return "creationTime"
	case "updated_at":
		return "lastModifiedTime"
	case "identity_group_id":
		return "identityGroupId"
	// Contents.
	case "thread_id":
		return "threadId"
	case "intervention_id":
		return "interventionId"
	case "in_reply_to_id":
		return "inReplyToContentId"
	case "in_reply_to_author_id":
		return "inReplyToAuthorIdentityId"
	case "author_id":
		return "authorIdentityId"
	case "creator_id":
		return "creatorId"
	case "body_input_format":
		return "bodyInputFormat"
	case "remotely_deleted":
		return "remotelyDeleted"
	case "category_ids":
		return "categoryIds"
	case "foreign_id":
		return "foreignId"
	case "foreign_categories":
		return "foreignCategories"
	case "created_from":
		return "createdFrom"
	case "synchronization_status":
		return "synchronizationStatus"
	case "synchronization_error":
		return "synchronizationError"
	case "context_data":
		return "contextData"
	}
	return platformPart(name)
}

// platformPart returns the name of a field of attachments and identities.
func platformPart(name string) string {
	switch name {
	// Attachments.
	case "content_type":
		return "contentType"
	case "url":
		return "uri"
	// Identities.
	case "display_name":
		return "displayName"
	case "screenname":
		return "screenName"
	case "firstname":
		return "firstName"
	case "lastname":
		return "lastName"
	case "email":
		return "emailAddress"
	case "home_phone":
		return "homePhone"
	case "mobile_phone":
		return "mobilePhone"
	case "avatar_url":
		return "avatarUri"
	case "user_ids":
		return "userIds"
	case "extra_values":
		return "extraValues"
	}
	return ""
}
