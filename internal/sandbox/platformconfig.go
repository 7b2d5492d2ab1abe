package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// The platform's credentials when the configuration names none. They open nothing but a sandbox.
const (
	DefaultClientID     = "sandbox-client"
	DefaultClientSecret = "sandbox-secret"
	DefaultJWT          = "sandbox-jwt"
)

// RateGroup is a group of operations that share a limit.
type RateGroup string

// The documented groups. PlatformConfig.Groups may name others.
const (
	GroupLight  RateGroup = "light"
	GroupMedium RateGroup = "medium"
	GroupHeavy  RateGroup = "heavy"
	GroupAuth   RateGroup = "auth"
)

// PlatformConfig is how the simulated platform behaves. The zero value has the documented limits, two numbers of which one can
// send, and knows no delay. Texts move from Queued to Delivered at once.
type PlatformConfig struct {
	// ClientID, ClientSecret and JWT are the application and its credential.
	ClientID, ClientSecret, JWT string
	// TokenLife is the life of an access token; 0 means an hour. RefreshLife is a refresh token's; 0 means a week.
	TokenLife, RefreshLife time.Duration
	// NoRefresh is an application that gets no refresh tokens.
	NoRefresh bool

	// Limits are calls a minute by group; a group left out has the documented limit, below 0 has none.
	Limits map[RateGroup]int
	// Groups moves a route, as in "GET /restapi/v1.0/subscription", to another group than the documented one.
	Groups map[string]RateGroup
	// Penalty is how long a group stays shut after a 429; every request within begins it again. 0 means 60 s.
	Penalty time.Duration
	// PenaltyGrace is how long after a 429 a request may still have been on its way: it is refused and begins the window anew,
	// but is counted as crossed, not as an offender.
	PenaltyGrace time.Duration
	// RetryAfter is the header of those 429s: seconds when empty, RetryAfterOff for none.
	RetryAfter RetryAfter
	// SMSPerMinute is the limit of texts over all applications (MSG-305); 0 means 40, below 0 none.
	SMSPerMinute int

	// Channels are the sources of Social Messaging; empty means one of WhatsApp.
	Channels []Channel
	// OldNames spells the fields and filters of Social Messaging as before 2024-04: sourceId, intervention …. Advanced Messaging
	// always does.
	OldNames bool
	// CapitalFormats spells the keys of bodyFormatted Text and Html, as recorded, instead of text and html, as documented.
	CapitalFormats bool
	// IndexLag is how long a new content, and a content's change, stays invisible to lists.
	IndexLag time.Duration
	// ExportDelay is as Config.ExportDelay, for contents of Social Messaging.
	ExportDelay time.Duration
	// KeepContextData gives back the contextData of a created content. Nothing public tells whether the API does.
	KeepContextData bool

	// Numbers are the extension's; empty means one that can send and a fax number.
	Numbers []Number
	// CallQueues are extensions with stores of their own, which the user can see.
	CallQueues []CallQueue
	// SentAfter and DeliveredAfter are a text's way from Queued to Sent and on to Delivered; 0 is at once, though the answer to
	// the request still says Queued; below 0 never.
	SentAfter, DeliveredAfter time.Duration
	// SendingFailures and DeliveryFailures are the shares of texts that end so, 0 to 1.
	SendingFailures, DeliveryFailures float64
	// StoreLag is how long a new message stays invisible to the message store's list.
	StoreLag time.Duration
	// NoTotals leaves totalPages and totalElements out of a list's paging.
	NoTotals bool
	// OldConversations leaves out conversation{id, uri}: conversationId, a number beyond 2^53, is all there is.
	OldConversations bool
	// SyncTokenLife is how long a sync token can be used; 0 means for ever.
	SyncTokenLife time.Duration
	// SyncTokenError is the code of the 400 for an old or unknown sync token: MSG-333 when empty, or CMN-101.
	SyncTokenError string
	// MediaURL is the scheme and host of MMS attachments; empty is that of the API. The real one is another host.
	MediaURL string

	// Notifications is how they travel; it can be changed later.
	Notifications Notifications
	// OldEvents sends events as before 2021: UUIDs, offsets without colon, conversationId instead of conversation{}, no owner.
	OldEvents bool
	// BlacklistAfter is how long a subscription's notifications may fail without a success before it is Blacklisted; 0 means ten
	// minutes, below 0 never.
	BlacklistAfter time.Duration
	// MaxSubscriptions of the user and application; 0 means the documented 30.
	MaxSubscriptions int
	// RequireHTTPS refuses webhook addresses with http (SUB-523), as the real one does.
	RequireHTTPS bool
}

// Channel is a source of Social Messaging.
type Channel struct {
	ID string `json:"id"`
	// Type is as the API spells it: WhatsApp, Email, Messenger ….
	Type string `json:"type"`
	// ContentType is the kind of its contents, as in Message.
	ContentType string `json:"content_type"`

	brand string // identity the account speaks as; made when first needed
}

// Number is a phone number of the extension.
type Number struct {
	PhoneNumber string   `json:"phoneNumber"`
	UsageType   string   `json:"usageType"`
	PaymentType string   `json:"paymentType"`
	Type        string   `json:"type"`
	Status      string   `json:"status"`
	Features    []string `json:"features"`
	// Extension is the id of the call queue that it belongs to; empty is the user's own.
	Extension string `json:"-"`
}

// Documented times and limits.
const (
	accessTokenLife  = time.Hour
	refreshTokenLife = 7 * 24 * time.Hour
	penaltyWindow    = time.Minute
	smsPerMinute     = 40
	blacklistAfter   = 10 * time.Minute // told by an engineer, not by the documentation
	maxSubscriptions = 30
)

func documentedLimits() map[RateGroup]int {
	return map[RateGroup]int{GroupLight: 50, GroupMedium: 40, GroupHeavy: 10, GroupAuth: 5}
}

func (c PlatformConfig) withDefaults(ids *idSource) PlatformConfig {
	c.ClientID, c.ClientSecret = cmp.Or(c.ClientID, DefaultClientID), cmp.Or(c.ClientSecret, DefaultClientSecret)
	c.JWT = cmp.Or(c.JWT, DefaultJWT)
	c.TokenLife, c.RefreshLife = cmp.Or(c.TokenLife, accessTokenLife), cmp.Or(c.RefreshLife, refreshTokenLife)
	c.Penalty = cmp.Or(c.Penalty, penaltyWindow)
	c.RetryAfter = cmp.Or(c.RetryAfter, RetryAfterSeconds)
	c.SMSPerMinute = cmp.Or(c.SMSPerMinute, smsPerMinute)
	c.BlacklistAfter = cmp.Or(c.BlacklistAfter, blacklistAfter)
	c.MaxSubscriptions = cmp.Or(c.MaxSubscriptions, maxSubscriptions)
	c.SyncTokenError = cmp.Or(c.SyncTokenError, codeSyncLost)
	limits := documentedLimits()
	maps.Copy(limits, c.Limits)
	c.Limits = limits
	if len(c.Channels) == 0 {
		c.Channels = []Channel{{Type: "WhatsApp"}}
	}
	c.Channels = slices.Clone(c.Channels)
	for i := range c.Channels {
		c.Channels[i].ID = cmp.Or(c.Channels[i].ID, ids.next())
		c.Channels[i].ContentType = cmp.Or(c.Channels[i].ContentType, "Message")
	}
	if len(c.Numbers) == 0 {
		c.Numbers = defaultNumbers()
	}
	c.Numbers = slices.Clone(c.Numbers)
	for i := range c.Numbers {
		n := &c.Numbers[i]
		n.UsageType, n.PaymentType = cmp.Or(n.UsageType, "DirectNumber"), cmp.Or(n.PaymentType, "Local")
		n.Type, n.Status = cmp.Or(n.Type, "VoiceFax"), cmp.Or(n.Status, "Normal")
	}
	return c
}

// DefaultNumber is the number that can send when the configuration names none.
const DefaultNumber = "+12095550100"

func defaultNumbers() []Number {
	return []Number{
		{PhoneNumber: DefaultNumber, Features: []string{"SmsSender", "CallerId", "MmsSender"}},
		{
			PhoneNumber: "+18665550101", UsageType: "CompanyFaxNumber", PaymentType: "TollFree", Type: "FaxOnly",
			Features: []string{"CallerId"},
		},
	}
}
