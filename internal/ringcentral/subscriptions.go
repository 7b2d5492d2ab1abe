package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const subscriptionsPath = restPath + "/subscription"

// MaxSubscriptions is how many a user may have of one application.
const MaxSubscriptions = 30

// The states of a subscription. A blacklisted one is dead: delete it and create another.
const (
	SubscriptionActive      = "Active"
	SubscriptionBlacklisted = "Blacklisted"
)

// Subscription is a webhook of the platform, as far as it is needed. The verification token is not kept.
type Subscription struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// EventFilters come back with real ids where a ~ was sent; DisabledFilters are those that are not served, and why.
	EventFilters    []string         `json:"eventFilters"`
	DisabledFilters []DisabledFilter `json:"disabledFilters"`
	CreationTime    Timestamp        `json:"creationTime"`
	ExpirationTime  Timestamp        `json:"expirationTime"`
	ExpiresIn       int64            `json:"expiresIn"` // seconds
	DeliveryMode    struct {
		TransportType string `json:"transportType"`
		Address       string `json:"address"`
	} `json:"deliveryMode"`
	BlacklistedData *struct {
		BlacklistedAt Timestamp `json:"blacklistedAt"`
		Reason        string    `json:"reason"`
	} `json:"blacklistedData"`
}

// UnmarshalJSON implements json.Unmarshaler. A field of another shape than documented is left empty and spoils nothing around it:
// an id may be a number, a number of seconds a text.
func (s *Subscription) UnmarshalJSON(data []byte) error {
	e, err := readEnvelope(data)
	if err != nil {
		return err
	}
	*s = Subscription{
		ID: e.text("id"), Status: e.text("status"), CreationTime: e.timestamp("creationTime"), ExpirationTime: e.timestamp("expirationTime"),
	}
	seconds, _ := e.number("expiresIn")
	s.ExpiresIn = int64(seconds)
	for name, into := range map[string]any{
		"eventFilters": &s.EventFilters, "disabledFilters": &s.DisabledFilters, "deliveryMode": &s.DeliveryMode, "blacklistedData": &s.BlacklistedData,
	} {
		if value, ok := e.field(name); ok {
			_ = json.Unmarshal(value, into) // what fits is taken
		}
	}
	s.EventFilters = slices.DeleteFunc(s.EventFilters, func(f string) bool { return f == "" })
	return nil
}

// DisabledFilter is a filter that is not served.
type DisabledFilter struct {
	Filter  string `json:"filter"`
	Reason  string `json:"reason"` // a code, for example SUB-412
	Message string `json:"message"`
}

// NewSubscription is what to subscribe to.
type NewSubscription struct {
	EventFilters []string
	// Address is the webhook's. It can't be changed later.
	Address string
	// VerificationToken comes back with each notification, as the header Verification-Token.
	VerificationToken Secret
	// ExpiresIn is how long it lives, to the second; 0 = the platform's default, seven days.
	ExpiresIn time.Duration
}

// FilterError is the cause of an *Error when a subscription was refused for its event filters, or when the refusal does not say
// what else it is about: one filter that the platform does not take fails the whole request.
type FilterError struct {
	// Named are the texts in which the refusal may name filters: the values of parameters and the messages. They are the API's own
	// words, so they are for comparing, not for a log. Empty if it names none.
	Named []string
}

// Error implements error.
func (e *FilterError) Error() string { return "event filters were not taken" }

// aboutOther are codes of refusals that no choice of filters changes. Those of webhooks: SUB-520 to SUB-525; of a reminder: SUB-516;
// of subscriptions that are too many, missing or expired: SUB-505, SUB-507.
var aboutOther = regexp.MustCompile(`^(OAU-.*|SUB-5(05|07|16|2[0-9])|CMN-30[0-9])$`)

// filtersRefused recognizes a refusal that other filters may avoid.
func filtersRefused(status int, e explanation) error {
	switch status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
	default:
		return nil
	}
	refused := FilterError{}
	about := false
	for _, f := range e.faults {
		filter := strings.Contains(strings.ToLower(f.parameter), "eventfilter") || f.code == "SUB-508"
		if aboutOther.MatchString(f.code) || f.parameter != "" && !filter {
			return nil
		}
		about = true
		refused.Named = append(append(refused.Named, f.values...), f.message)
	}
	if !about { // not the API's own answer
		return nil
	}
	refused.Named = slices.DeleteFunc(refused.Named, func(text string) bool { return !strings.Contains(text, "/") })
	return &refused
}

// Subscriptions lists the subscriptions of the application and user, of all kinds of transport. An entry that is not an object with an
// id is left out.
func (p *Platform) Subscriptions(ctx context.Context) ([]Subscription, error) {
	var subscriptions []Subscription
	err := p.c.do(ctx, call{
		op: opSubscriptions, method: http.MethodGet, path: subscriptionsPath, priority: Lookup, read: func(body []byte) error {
			e, err := readEnvelope(body)
			if err != nil {
				return err
			}
			records, err := e.records()
			if err != nil {
				return err
			}
			subscriptions = nil
			for _, record := range records {
				var s Subscription
				if readSubscription(&s)(record) == nil {
					subscriptions = append(subscriptions, s)
				}
			}
			return nil
		},
	})
	return subscriptions, err
}

// Subscription reads one subscription. A missing or expired one is an *Error of status 404.
func (p *Platform) Subscription(ctx context.Context, id string) (Subscription, error) {
	return p.subscription(ctx, id, "", call{op: opSubscription, method: http.MethodGet, priority: Lookup})
}

// Subscribe creates a subscription. The platform calls the address before it answers. After an Unknown outcome list before creating it
// again. Refused for its event filters, the *Error wraps a *FilterError.
func (p *Platform) Subscribe(ctx context.Context, s NewSubscription) (Subscription, error) {
	switch {
	case len(s.EventFilters) == 0 || emptyFilter(s.EventFilters):
		return Subscription{}, invalid(opCreateSubscription, "without an event filter")
	case s.Address == "":
		return Subscription{}, invalid(opCreateSubscription, "without an address")
	}
	mode := map[string]any{"transportType": "WebHook", "address": s.Address}
	if s.VerificationToken != "" {
		mode["verificationToken"] = s.VerificationToken.Reveal()
	}
	// expiresIn stands at the top: within deliveryMode it is ignored, and the subscription dies in a week.
	body := map[string]any{"eventFilters": s.EventFilters, "deliveryMode": mode}
	if s.ExpiresIn > 0 {
		body["expiresIn"] = int64(max(s.ExpiresIn.Truncate(time.Second), time.Second) / time.Second)
	}
	k := call{op: opCreateSubscription, method: http.MethodPost, path: subscriptionsPath, texts: []string{s.VerificationToken.Reveal(), s.Address}, sentinel: filtersRefused}
	return p.writeSubscription(ctx, k, body)
}

// UpdateSubscription replaces the event filters, which renews it too. Refused for them, the *Error wraps a *FilterError.
func (p *Platform) UpdateSubscription(ctx context.Context, id string, eventFilters []string) (Subscription, error) {
	if len(eventFilters) == 0 || emptyFilter(eventFilters) {
		return Subscription{}, invalid(opUpdateSubscription, "without an event filter")
	}
	path, err := resourcePath(opUpdateSubscription, subscriptionsPath, id)
	if err != nil {
		return Subscription{}, err
	}
	k := call{op: opUpdateSubscription, method: http.MethodPut, path: path, sentinel: filtersRefused}
	return p.writeSubscription(ctx, k, map[string]any{"eventFilters": eventFilters})
}

// RenewSubscription begins its life anew. A missing or expired one is an *Error of status 404.
func (p *Platform) RenewSubscription(ctx context.Context, id string) (Subscription, error) {
	return p.subscription(ctx, id, "/renew", call{op: opRenewSubscription, method: http.MethodPost, priority: Reply})
}

// DeleteSubscription ends a subscription. It may be repeated: a missing one is an *Error of status 404.
func (p *Platform) DeleteSubscription(ctx context.Context, id string) error {
	path, err := resourcePath(opDeleteSubscription, subscriptionsPath, id)
	if err != nil {
		return err
	}
	return p.c.do(ctx, call{op: opDeleteSubscription, method: http.MethodDelete, path: path, priority: Reply, read: readNothing})
}

// subscription makes a call of one subscription that answers with it.
func (p *Platform) subscription(ctx context.Context, id, below string, k call) (Subscription, error) {
	path, err := resourcePath(k.op, subscriptionsPath, id)
	if err != nil {
		return Subscription{}, err
	}
	var s Subscription
	k.path, k.read = path+below, readSubscription(&s)
	err = p.c.do(ctx, k)
	return s, err
}

func (p *Platform) writeSubscription(ctx context.Context, k call, body map[string]any) (Subscription, error) {
	var s Subscription
	k.body, _ = json.Marshal(body) // strings and numbers always can be
	k.contentType, k.priority, k.read = "application/json", Reply, readSubscription(&s)
	err := p.c.do(ctx, k)
	return s, err
}

func readSubscription(s *Subscription) func([]byte) error {
	return func(body []byte) error {
		var answer Subscription
		if json.Unmarshal(body, &answer) != nil {
			return errNotObject
		}
		if answer.ID == "" {
			return errNoID
		}
		*s = answer
		return nil
	}
}
