package publish

// The tracked fields of messages: those whose change makes message.updated. Status
// and presence have rules of their own. The numbers are stored: append, never
// reorder, and stay below trackedFields.
const (
	messageText field = iota
	messageReadStatus
	messageAttachments
	messageDeliveryError
	messageRecipients // the delivery to each of several
)

// A rank is how far a message has come by its status; 0 = a status not known yet,
// of which only time tells. The ranks are stored.
type rank uint8

const (
	rankQueued rank = iota + 1
	rankSent
	rankFinal
)

func rankOf(status string) rank {
	switch status {
	case "Queued":
		return rankQueued
	case "Sent":
		return rankSent
	case "Delivered", "DeliveryFailed", "SendingFailed", "Received":
		return rankFinal
	}
	return 0
}

// A presence tells whether a message is there. The values are stored.
type presence uint8

const (
	presenceUnknown presence = iota
	presenceAlive
	presenceDeleted
	presencePurged
)

func presenceOf(availability string) presence {
	switch availability {
	case "Alive":
		return presenceAlive
	case "Deleted":
		return presenceDeleted
	case "Purged":
		return presencePurged
	}
	return presenceUnknown
}

func (p presence) gone() bool { return p == presenceDeleted || p == presencePurged }
