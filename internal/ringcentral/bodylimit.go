package ringcentral

import (
	"strings"
	"unicode/utf8"
)

// BodyLimit returns how many characters the body of a content may have on a channel, named as either API names its type (WhatsApp,
// whats_app, whats_app/message); false where no limit is known.
func BodyLimit(channelType string) (int, bool) {
	name, _, _ := strings.Cut(channelType, "/")
	limit := bodyLimit(strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)))
	return limit, limit > 0
}

// bodyLimit is the documented table; 0 = not in it.
func bodyLimit(channel string) int {
	switch channel {
	case "twitter", "twtr", "tweet":
		return 280
	case "instagram":
		return 950
	case "instagrammessaging":
		return 1000
	case "engagemessaging", "ringcxmessaging":
		return 1024
	case "messenger", "fbmessenger":
		return 2000
	case "linkedin":
		return 3000
	case "whatsapp":
		return 3800
	case "googlemybusiness", "gmb":
		return 4000
	case "viber":
		return 7000
	case "facebook", "fb", "youtube":
		return 8000
	case "applemessagesforbusiness", "applebusinesschat":
		return 10_000
	case "email", "emails":
		return 262_144
	}
	return 0
}

// BodyTooLong reports whether body is certainly longer than the channel takes. Characters are counted, the largest unit that the API may
// mean: what passes here may still be refused by it, what doesn't would be.
func BodyTooLong(channelType, body string) bool {
	limit, known := BodyLimit(channelType)
	return known && utf8.RuneCountInString(body) > limit
}
