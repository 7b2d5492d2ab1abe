package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quirk is a deviation from the documentation that a fault can name. It refuses a call, changes
// what it asks, or changes a good answer; each part may be nil.
type quirk struct {
	takes takes
	does  string // for people
	// meets judges a call by its parameters. Nil is every call.
	meets func(value func(string) string, text string) bool
	// ask runs before the handler. A reply stands in the handler's place.
	ask func(o *oddity, c *call) *reply
	// answer runs on what a good answer holds.
	answer func(o *oddity, c *call, doc map[string]any)
}

// takes is the kind of a quirk's value.
type takes string

const (
	takesNothing  takes = "nothing"
	takesText     takes = "text"
	takesNumber   takes = "a number"
	takesRefusal  takes = "a status, a code, or both, as in 404 CMN-102"
	takesObject   takes = "an object"
	takesDuration takes = "a duration, as in 15m"
)

// Quirks returns what there is, by name: what each does and the value that it takes.
func Quirks() map[string]string {
	out := map[string]string{}
	for name, q := range quirks() {
		out[name] = q.does + "; takes " + string(q.takes)
	}
	return out
}

// quirks is the table.
func quirks() map[string]quirk {
	all := map[string]quirk{}
	for _, part := range []map[string]quirk{refusals(), oddPages(), oddEnvelopes(), oddSubscriptions()} {
		maps.Copy(all, part)
	}
	return all
}

// refusals are quirks of calls that the API may answer as it is documented, and does not.
func refusals() map[string]quirk {
	return map[string]quirk{
		"refused": {
			takes: takesRefusal, does: "refuses each call, in the API's envelope, with details where a code has them",
			ask: func(o *oddity, c *call) *reply { return o.refuse(c, "") },
		},
		"success_status": {takes: takesNumber, does: "answers with this status instead of 200 or 201"},
		"order_refused": {
			takes: takesRefusal, does: "refuses orders by the time of change (CMN-101)",
			meets: func(value func(string) string, _ string) bool {
				return strings.Contains(value("orderBy"), fieldModified) || value("sort") == "updated_at"
			},
			ask: func(o *oddity, c *call) *reply { return o.refuse(c, named(c, "orderBy", "sort")) },
		},
		"sync_token_refused": {
			takes: takesRefusal, does: "refuses every sync token (MSG-333)",
			meets: has("syncToken"),
			ask:   func(o *oddity, c *call) *reply { return o.refuse(c, "syncToken") },
		},
		"deleted_refused": {
			takes: takesRefusal, does: "refuses lists of deleted messages (CMN-101)",
			meets: func(value func(string) string, _ string) bool {
				return strings.Contains(value("availability"), AvailabilityDeleted) || strings.Contains(value("availability"), AvailabilityPurged)
			},
			ask: func(o *oddity, c *call) *reply { return o.refuse(c, "availability") },
		},
		"strings_only": {takes: takesNothing, does: "refuses a content whose contextData has other values than strings (422 EDI-008)", ask: refuseValues},
	}
}

// oddPages are quirks of lists that come in pages.
func oddPages() map[string]quirk {
	return map[string]quirk{
		"page_size_refused": {
			takes: takesNumber, does: "refuses pages of more rows than this",
			meets: func(value func(string) string, text string) bool { return pageOf(value).size > whole64(text) },
			ask:   func(o *oddity, c *call) *reply { return refuseParameter(c, named(c, "perPage", "limit")) },
		},
		"page_clamped": {takes: takesNumber, does: "gives at most so many rows a page, whatever was asked", ask: clamp},
		"count":        {takes: takesText, does: "gives a wrong count: absent, null, page (the page's own rows) or less", answer: miscount},
		"poison_row": {
			takes: takesNumber, does: "answers 500 for each page that holds the row of this number, from 0; not for lists by token", ask: poison,
		},
		"page_window": {takes: takesNumber, does: "refuses pages that end beyond so many rows; not of lists by token", ask: beyondWindow},
		"page_token_refused": {
			takes: takesRefusal, does: "refuses every page token, as if it had expired (CMN-101)",
			meets: has("pageToken"),
			ask:   func(o *oddity, c *call) *reply { return o.refuse(c, "pageToken") },
		},
		"page_token_repeats": {takes: takesNothing, does: "gives the token of the page itself as that of the next", answer: repeatToken},
		"page_token_cycles":  {takes: takesNothing, does: "leads from the third page back to the second", answer: cycleToken},
		"next_page_loops":    {takes: takesNothing, does: "names each page of the message store as the page after it", answer: loopPages},
	}
}

// oddEnvelopes are quirks of what answers hold, around the rows and in them.
func oddEnvelopes() map[string]quirk {
	return map[string]quirk{
		"numbers_as_text": {takes: takesNothing, does: "writes numbers and booleans of a list's envelope as text", answer: func(_ *oddity, _ *call, doc map[string]any) {
			envelopeOf(doc, func(envelope map[string]any) { maps.Copy(envelope, textual(envelope).(map[string]any)) })
		}},
		"null_records": {takes: takesText, does: "has null for records, where there are none or, with the value always, in any case", answer: func(o *oddity, _ *call, doc map[string]any) {
			if rows, is := doc["records"].([]any); is && (len(rows) == 0 || o.text() == "always") {
				doc["records"] = nil
			}
		}},
		"byte_order_mark": {takes: takesNothing, does: "begins the answer with a byte order mark"},
		"missing": {takes: takesText, does: "leaves these fields out of a list's envelope, as in syncToken,syncTime, and out of an answer that is no list", answer: func(o *oddity, _ *call, doc map[string]any) {
			names := strings.Split(o.text(), ",")
			envelopeOf(doc, func(envelope map[string]any) { strip(envelope, names) })
			if _, list := doc["records"]; !list {
				strip(doc, names)
			}
		}},
		"row_missing": {takes: takesText, does: "leaves these fields out of each row, as in direction", answer: func(o *oddity, _ *call, doc map[string]any) {
			for _, row := range rowsOf(doc) {
				for name := range strings.SplitSeq(o.text(), ",") {
					delete(row, name)
				}
			}
		}},
		"row_fields": {takes: takesObject, does: "sets fields of each row to these, whatever they are", answer: func(o *oddity, _ *call, doc map[string]any) {
			for _, row := range rowsOf(doc) {
				maps.Copy(row, object([]byte(o.text())))
			}
		}},
		"attachments_late": {takes: takesNothing, does: "has no attachments in the rows: with per id and times, in the first answers", answer: func(_ *oddity, _ *call, doc map[string]any) {
			for _, row := range rowsOf(doc) {
				if row["attachments"] != nil {
					row["attachments"] = []any{}
				}
			}
		}},
	}
}

// oddSubscriptions are quirks of how subscriptions are made and shown.
func oddSubscriptions() map[string]quirk {
	return map[string]quirk{
		"filter_refused":    {takes: takesText, does: "refuses subscriptions with a filter that begins so (SUB-508)", meets: hasFilter, ask: refuseFilter},
		"filter_disabled":   {takes: takesText, does: "shows a filter that begins so as disabled, not among the others", answer: disableFilters},
		"filters_rewritten": {takes: takesNothing, does: "shows the filters in another order and with a parameter more", answer: rewriteFilters},
		"address_rewritten": {takes: takesText, does: "shows a subscription's address in another form: slash, case, port or escape", answer: rewriteAddress},
		"life":              {takes: takesDuration, does: "gives a subscription this life, whatever it asks for", ask: shorten},
	}
}

// oddity is a quirk as it applies to one call.
type oddity struct {
	list  *faultList
	fault *activeFault
}

func (o *oddity) text() string { return o.fault.text }

// recall returns what the quirk kept; keep changes it.
func (o *oddity) recall() string {
	o.list.mu.Lock()
	defer o.list.mu.Unlock()
	return o.fault.memory
}

func (o *oddity) keep(text string) {
	o.list.mu.Lock()
	defer o.list.mu.Unlock()
	o.fault.memory = text
}

func quirkNames(odd []*oddity) []string {
	out := make([]string, len(odd), len(odd)+1)
	for i, o := range odd {
		out[i] = o.fault.Quirk
	}
	return out
}

// quirked runs the handler under the call's quirks.
func (c *call) quirked(h handler) reply {
	for _, o := range c.odd {
		if o.fault.quirk.ask != nil {
			if rep := o.fault.quirk.ask(o, c); rep != nil {
				return *rep
			}
		}
	}
	rep := h(c)
	if rep.status != http.StatusOK && rep.status != http.StatusCreated {
		return rep
	}
	for _, o := range c.odd {
		switch {
		case o.fault.Quirk == "success_status":
			rep.status = int(whole64(o.text()))
		case o.fault.Quirk == "byte_order_mark":
			rep.raw = append([]byte("\ufeff"), rep.raw...)
		case o.fault.quirk.answer != nil:
			rep.raw = rewritten(rep.raw, func(doc map[string]any) { o.fault.quirk.answer(o, c, doc) })
		}
	}
	return rep
}

// rewritten changes a JSON object; other bytes stay as they are.
func rewritten(raw []byte, change func(map[string]any)) []byte {
	mark, bare := []byte("\ufeff"), raw
	bare = bytes.TrimPrefix(bare, mark)
	doc := object(bare)
	if doc == nil {
		return raw
	}
	change(doc)
	out, err := json.Marshal(doc)
	if err != nil {
		return raw
	}
	return append(slices.Clone(raw[:len(raw)-len(bare)]), out...)
}

// object reads a JSON object, its numbers to the last digit. Nil is what is none.
func object(raw []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc map[string]any
	if d.Decode(&doc) != nil {
		return nil
	}
	return doc
}

// rowsOf are the rows of a list, or the one that an answer is.
func rowsOf(doc map[string]any) (rows []map[string]any) {
	records, list := doc["records"]
	if !list {
		return []map[string]any{doc}
	}
	all, _ := records.([]any) // null has none
	for _, row := range all {
		if fields, is := row.(map[string]any); is {
			rows = append(rows, fields)
		}
	}
	return rows
}

// envelopeOf calls do with a list without its rows. What is no list has no envelope.
func envelopeOf(doc map[string]any, do func(map[string]any)) {
	records, list := doc["records"]
	if !list {
		return
	}
	delete(doc, "records")
	do(doc)
	doc["records"] = records
}

// textOf is a value as a quirk takes it.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func (f *Fault) validateQuirk() error {
	q, known := quirks()[f.Quirk]
	text := textOf(f.Value)
	wrong := false
	switch q.takes {
	case takesNumber:
		_, err := strconv.ParseUint(text, 10, 31)
		wrong = err != nil
	case takesDuration:
		_, err := time.ParseDuration(text)
		wrong = err != nil
	case takesObject:
		wrong = object([]byte(text)) == nil
	case takesRefusal:
		status, _ := refusalOf(text)
		wrong = status < 400 || status > 599
	case takesNothing:
		wrong = text != ""
	case takesText:
	}
	switch {
	case !known:
		return fmt.Errorf("%w: fault quirk %q, want one of %s", ErrInvalid, f.Quirk, strings.Join(slices.Sorted(maps.Keys(quirks())), ", "))
	case wrong:
		return fmt.Errorf("%w: fault quirk %s with the value %q, want %s", ErrInvalid, f.Quirk, text, q.takes)
	}
	return nil
}
