package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// The routes that polls, look-ups and enrichment read.
const (
	engageContents   = "GET /1.0/contents"
	engageIdentities = "GET /1.0/identities"
	socialContents   = "GET /cx/social-messaging/v1/contents"
	socialIdentities = "GET /cx/social-messaging/v1/identities"
	messageList      = "GET /restapi/v1.0/account/{account}/extension/{extension}/message-store"
	messageSync      = "GET /restapi/v1.0/account/{account}/extension/{extension}/message-sync"
)

// oddRounds are how many rounds of three have oddities, oddEach how many of them each.
const (
	oddRounds = 2
	oddEach   = 2
)

// An oddity is how the APIs deviate from their documentation for a round. It costs a bridge nothing
// for good: what could not be read is read once it has passed.
type oddity struct {
	name  string
	on    func(*round, *rand.Rand) error
	holes bool // rows cannot be read while newer ones can: they come later, and out of order
}

// oddities are used up in a random order.
func oddities() []oddity {
	return []oddity{
		{name: "pages clamped, no counts", on: quirks(
			sparingLookups(on("page_clamped", `3`, engageContents, engageIdentities, socialContents, socialIdentities, messageList)),
			on("count", `"absent"`, engageContents, engageIdentities, messageList),
		)},
		{name: "counts of the page", on: quirks(
			sparingLookups(on("page_clamped", `5`, engageContents, engageIdentities, messageList)), on("count", `"page"`, engageContents, engageIdentities, messageList),
		)},
		{name: "counts null", on: quirks(sparingLookups(on("page_clamped", `5`, engageContents, engageIdentities)), on("count", `"null"`, engageContents, engageIdentities))},
		{name: "page tokens cycle", holes: true, on: quirks(
			sparingLookups(on("page_clamped", `2`, socialContents, socialIdentities)), sparingLookups(on("page_token_cycles", ``, socialContents, socialIdentities)),
		)},
		{name: "page tokens repeat", holes: true, on: quirks(
			sparingLookups(on("page_clamped", `2`, socialContents, socialIdentities)), sparingLookups(on("page_token_repeats", ``, socialContents, socialIdentities)),
		)},
		{name: "page tokens expire", holes: true, on: expiringTokens},
		{name: "order refused", on: refused("order_refused", "CMN-101", "EDI-036", "EDI-028", "EDI-038")},
		{name: "page size refused", on: quirks(sparingLookups(on("page_size_refused", `50`, engageContents, engageIdentities, socialContents, socialIdentities, messageList)))},
		{name: "a row that no page holds", holes: true, on: quirks(
			sparingLookups(on("page_clamped", `5`, engageContents, messageList)), sparingLookups(on("poison_row", `12`, engageContents, messageList)),
		)},
		{name: "no pages beyond a window", holes: true, on: quirks(
			sparingLookups(on("page_clamped", `5`, engageContents, engageIdentities)), sparingLookups(on("page_window", `20`, engageContents, engageIdentities)),
		)},
		{name: "sync tokens refused", on: refused("sync_token_refused", "MSG-333", "CMN-101", "404 CMN-102", "410", "403 CMN-101")},
		{name: "deleted messages refused", on: refused("deleted_refused", "CMN-101", "403", "500")},
		{name: "deleted messages without end", on: (*round).endlessDeleted},
		{name: "envelopes as text", on: quirks(
			on("numbers_as_text", ``, engageContents, engageIdentities, socialContents, socialIdentities, messageList, messageSync),
			on("null_records", ``, engageContents, engageIdentities, socialContents, socialIdentities, messageList, messageSync),
		)},
		{name: "byte order marks", on: quirks(on("byte_order_mark", ``, engageContents, engageIdentities, socialContents, socialIdentities, messageList, messageSync))},
		{name: "fields missing from envelopes", on: quirks(
			on("missing", `"syncToken,syncTime"`, messageSync), on("missing", `"offset,limit,perPage,navigation"`, engageContents, socialContents, messageList),
		)},
		{name: "odd fields in rows", on: quirks(
			on("row_fields", `{"category_ids":{},"context_data":""}`, engageContents), on("row_fields", `{"categoryIds":"","attachments":[null]}`, socialContents),
		)},
		{name: "single reads fail", on: singleReads(sandbox.Fault{Status: 500, Rate: 0.5})},
		{name: "single reads are late", on: singleReads(sandbox.Fault{Delay: sandbox.Duration(400 * time.Millisecond), Rate: 0.5})},
		{name: "files come late", on: (*round).lateFiles},
		{name: "contents made are answered otherwise", on: (*round).otherStatus},
		{name: "webhooks lack fields", on: payload(func(random *rand.Rand) sandbox.Payload {
			// What decides the partition is kept: a stream is not yet the unit of it.
			return sandbox.Payload{OmitRate: random.Float64(), Keep: []string{"thread_id", "threadId", "conversation", "conversationId", "direction"}}
		})},
		{name: "webhooks issued in the future", on: payload(func(*rand.Rand) sandbox.Payload {
			return sandbox.Payload{IssuedShift: sandbox.Duration(20 * 365 * 24 * time.Hour)}
		})},
		{name: "webhooks issued at another time", on: payload(func(random *rand.Rand) sandbox.Payload {
			return sandbox.Payload{IssuedShift: sandbox.Duration(random.Int64N(int64(10*time.Second))) - sandbox.Duration(5*time.Second)}
		})},
		{name: "webhooks compressed", on: payload(func(*rand.Rand) sandbox.Payload { return sandbox.Payload{Gzip: true} })},
		{name: "a filter refused", on: (*round).refuseFilter},
		{name: "subscription shown otherwise", on: (*round).showOtherwise},
	}
}

// NoOddity leaves the APIs as they are documented.
const NoOddity = "none"

// odditiesOf are those with a part of their names.
func odditiesOf(part string) []oddity {
	return slices.DeleteFunc(oddities(), func(o oddity) bool { return !strings.Contains(o.name, part) })
}

// on is a quirk of some routes.
func on(name, value string, routes ...string) (faults []sandbox.Fault) {
	for _, route := range routes {
		faults = append(faults, sandbox.Fault{Route: route, Quirk: name, Value: json.RawMessage(value)})
	}
	return faults
}

// sparingLookups spares the lists in which look-ups search, of one conversation, query or direction:
// what they can never find there is ambiguous, and the harness hides no truth for good. A look-up
// reads so many pages, however short they are.
func sparingLookups(faults []sandbox.Fault) []sandbox.Fault {
	for i := range faults {
		faults[i].Match = map[string]string{"threadIds": "", "q": "", "direction": ""}
	}
	return faults
}

// quirks is an oddity of these quirks.
func quirks(all ...[]sandbox.Fault) func(*round, *rand.Rand) error {
	return func(r *round, _ *rand.Rand) error {
		var errs []error
		for _, faults := range all {
			errs = append(errs, r.add(faults...))
		}
		return errors.Join(errs...)
	}
}

// refused is a quirk that refuses, in one of these wordings.
func refused(name string, wordings ...string) func(*round, *rand.Rand) error {
	return func(r *round, random *rand.Rand) error {
		return r.add(sparingLookups([]sandbox.Fault{{Quirk: name, Value: quoted(wordings[random.IntN(len(wordings))])}})...)
	}
}

func quoted(text string) json.RawMessage { return json.RawMessage(fmt.Sprintf("%q", text)) }

// payload is an oddity of what is sent.
func payload(of func(*rand.Rand) sandbox.Payload) func(*round, *rand.Rand) error {
	return func(r *round, random *rand.Rand) error {
		p := of(random)
		hooks, notices := deliveries(), notifications()
		hooks.Payload, notices.Payload = p, p
		r.box.SetDelivery(hooks)
		r.box.Platform().SetNotifications(notices)
		return nil
	}
}

func (r *round) add(faults ...sandbox.Fault) error {
	for _, f := range faults {
		if _, err := r.box.AddFault(f); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	return nil
}

func expiringTokens(r *round, random *rand.Rand) error {
	wordings := []string{"CMN-101", "410", "404 CMN-102", "EDI-028"}
	expired := sandbox.Fault{Quirk: "page_token_refused", Value: quoted(wordings[random.IntN(len(wordings))]), Rate: 0.5}
	return r.add(append(sparingLookups(on("page_clamped", `2`, socialContents, socialIdentities)), sparingLookups([]sandbox.Fault{expired})...)...)
}

// endlessDeleted has the list of deleted messages lead on for ever.
func (r *round) endlessDeleted(*rand.Rand) error {
	return r.add(sandbox.Fault{
		Route: messageList, Match: map[string]string{"availability_contains": sandbox.AvailabilityDeleted, "direction": ""}, Quirk: "next_page_loops",
	})
}

func singleReads(fault sandbox.Fault) func(*round, *rand.Rand) error {
	return func(r *round, _ *rand.Rand) error {
		for _, fault.Route = range []string{
			"GET /1.0/contents/{id}", "GET /1.0/identities/{id}", "GET /cx/social-messaging/v1/contents/{id}", "GET /cx/social-messaging/v1/identities/{id}",
		} {
			if err := r.add(fault); err != nil {
				return err
			}
		}
		return nil
	}
}

// lateFiles has files that are not yet in the first answers.
func (r *round) lateFiles(*rand.Rand) error {
	first := sandbox.Fault{Quirk: "attachments_late", Per: "id", Times: 1}
	for _, first.Route = range []string{"GET /1.0/contents/{id}", "GET /cx/social-messaging/v1/contents/{id}"} {
		if err := r.add(first); err != nil {
			return err
		}
	}
	return r.add(sandbox.Fault{Route: engageContents, Quirk: "attachments_late", Rate: 0.5}, sandbox.Fault{Route: socialContents, Quirk: "attachments_late", Rate: 0.5})
}

// otherStatus swaps the statuses of what was made.
func (r *round) otherStatus(*rand.Rand) error {
	return r.add(append(on("success_status", `201`, "POST /1.0/contents"), on("success_status", `200`, "POST /cx/social-messaging/v1/contents")...)...)
}

// refuseFilter has a subscription created while one of its filters is refused.
func (r *round) refuseFilter(*rand.Rand) error {
	if err := r.add(sandbox.Fault{Quirk: "filter_refused", Value: json.RawMessage(`"/cx/social-messaging/v1/contents/"`)}); err != nil {
		return err
	}
	return r.breakEach(r.box.Platform().RemoveSubscription)
}

// showOtherwise has the platform show the same subscription in another form.
func (r *round) showOtherwise(random *rand.Rand) error {
	const all, one = "GET /restapi/v1.0/subscription", "GET /restapi/v1.0/subscription/{id}"
	forms := [][]sandbox.Fault{
		on("address_rewritten", `"slash"`, all, one), on("address_rewritten", `"case"`, all, one), on("address_rewritten", `"escape"`, all, one),
		on("filters_rewritten", ``, all, one), on("filter_disabled", `"/cx/"`, all, one), on("row_missing", `"expirationTime,expiresIn"`, all, one),
	}
	return r.add(forms[random.IntN(len(forms))]...)
}

// heal ends the round's oddities, and all other faults of the APIs.
func (r *round) heal() {
	r.box.ClearFaults()
	r.box.SetDelivery(deliveries())
	r.box.Platform().SetNotifications(notifications())
}

// beOdd draws the round's oddities, if it has any.
func (r *round) beOdd(pile *pile[oddity], random *rand.Rand) error {
	holes := false
	defer func() { r.book.Holes(holes) }()
	if len(pile.all) == 0 || r.cfg.Odd == "" && random.IntN(3) >= oddRounds {
		return nil
	}
	for range min(oddEach, len(pile.all)) {
		drawn := pile.draw(random)
		r.tell("%s", drawn.name)
		holes = holes || drawn.holes
		if err := drawn.on(r, random); err != nil {
			return err
		}
	}
	return nil
}
