package sandbox

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// DefaultToken is the access token when the configuration names none. It opens nothing but a sandbox.
const DefaultToken = "sandbox-token"

// RetryAfter says what a 429 of the sandbox's own limit tells about the wait. The API documents no such header.
type RetryAfter string

// The forms of Retry-After.
const (
	RetryAfterNone    RetryAfter = ""
	RetryAfterSeconds RetryAfter = "seconds"
	RetryAfterDate    RetryAfter = "date"
	RetryAfterOff     RetryAfter = "off" // as none; for PlatformConfig, whose zero value tells seconds
)

// Config is how the simulated account behaves. The zero value is a usable account without webhook, lag and limit.
type Config struct {
	// Token is the access token; empty means DefaultToken.
	Token string
	// Sources are the channels; empty means one WhatsApp source. An import may add more.
	Sources []Source
	// Webhook is taken as registered, its handshake done long ago. Use Server.Register for a handshake.
	Webhook Webhook
	// Delivery is how webhooks go astray; it can be changed later.
	Delivery Delivery
	// IndexLag is how long a new content stays invisible to lists.
	IndexLag time.Duration
	// ExportDelay is the time from a content's creation to its export; 0 exports at once (the response still says
	// export_pending), below 0 never.
	ExportDelay time.Duration
	// RatePerMinute is the limit of calls over any minute; 0 means none. The documented one is 500.
	RatePerMinute int
	// RetryAfter adds a header to the 429s of that limit.
	RetryAfter RetryAfter
	// RequireIntervention refuses (422) a reply whose thread has no open intervention. The documentation says so, while
	// recorded bots reply without one.
	RequireIntervention bool
	// Location is the account's time zone, which shows in a webhook's date. Nil means UTC.
	Location *time.Location
	// Seed makes the random faults repeatable; 0 takes a random one.
	Seed uint64
	// Platform is how the RingCentral platform behaves.
	Platform PlatformConfig
}

// Deps are what the sandbox uses of its surroundings. Every field may be nil.
type Deps struct {
	// HTTP delivers webhooks. Its redirects are not followed, whatever it says.
	HTTP *http.Client
	// Logger gets one debug line a call and one a delivery.
	Logger *slog.Logger
	// Now is the clock for dates and ids. Waiting always uses package time.
	Now func() time.Time
}

// Source is a channel of the account.
type Source struct {
	ID string `json:"id"`
	// Type is the channel, as in whats_app, email, engage_messaging, answers.
	Type string `json:"type"`
	// ContentType is the kind of its contents, as in message.
	ContentType string `json:"content_type"`
	// Private is whether its messages are private unless told.
	Private bool `json:"private"`
	// ReplyOnly sources cannot start a discussion.
	ReplyOnly bool `json:"reply_only"`

	brand string // identity the account speaks as; made when first needed
}

func (c Config) withDefaults() Config {
	if c.Token == "" {
		c.Token = DefaultToken
	}
	if len(c.Sources) == 0 {
		c.Sources = []Source{{Type: "whats_app", ContentType: "message"}}
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	return c
}

func (d Deps) withDefaults() Deps {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// Duration is a time.Duration that is written "300ms" in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("sandbox: duration: %w", err)
	}
	*d = Duration(v)
	return nil
}

// Optional is a string whose empty value is null in JSON, as the API has it for most references.
type Optional string

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional) UnmarshalJSON(raw []byte) error {
	*o = "" // also for null, which changes nothing by itself
	return json.Unmarshal(raw, (*string)(o))
}

// MarshalJSON implements json.Marshaler.
func (o Optional) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(o))
}
