package publish

// A rank is how far a message has come by its status; 0 = a status not known yet,
// which only time orders.
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

// A presence is whether a message exists.
type presence uint8

const (
	presenceUnknown presence = iota
	presenceAlive
	presenceDeleted
	presencePurged
)

func presenceOf(availability *string) presence {
	switch deref(availability) {
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
