package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// whole64 reads a number that validateQuirk has seen; of a parameter, what is none is 0.
func whole64(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// has meets calls with a parameter.
func has(parameter string) func(func(string) string, string) bool {
	return func(value func(string) string, _ string) bool { return value(parameter) != "" }
}

// named is the first of these that the call has.
func named(c *call, parameters ...string) string {
	for _, name := range parameters {
		if c.params.get(name) != "" {
			return name
		}
	}
	return parameters[len(parameters)-1]
}

// window is the part of a list that a page covers.
type window struct{ from, size int64 }

// pageOf reads limit and offset, or perPage and page.
func pageOf(value func(string) string) window {
	if per := value("perPage"); per != "" || value("page") != "" {
		size := max(whole64(per), 1)
		return window{from: (max(whole64(value("page")), 1) - 1) * size, size: size}
	}
	size := whole64(value("limit"))
	if size == 0 {
		size = defaultLimit
	}
	return window{from: whole64(value("offset")), size: size}
}

// refusalOf reads a status, a code or both.
func refusalOf(text string) (status int, code string) {
	first, rest, _ := strings.Cut(text, " ")
	if status, err := strconv.Atoi(first); err == nil {
		return status, rest
	}
	return statusOf(text), text
}

// statusOf is the status that a code comes with; of those not named, 400.
func statusOf(code string) int {
	number := int(whole64(strings.TrimPrefix(code, "EDI-"))) // 0 where it is another's
	switch {
	case number >= 1 && number <= 8, number >= 10 && number <= 12, number == 27, number >= 33 && number <= 36:
		return http.StatusUnprocessableEntity
	case number >= 13 && number <= 24:
		return http.StatusForbidden
	case number == 29, number == 32, code == codeMissing:
		return http.StatusNotFound
	case code == codePermission, code == "CMN-401", code == "CMN-419", code == codeSubLimit:
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// wording is the message of a code and, where that does not name the reason, its details.
func wording(code, parameter string) (message, details string) {
	switch code {
	case codeInvalid:
		return "Parameter [" + parameter + "] value is invalid.", ""
	case codeSyncLost:
		return "Sync token is too old. Full synchronization is required", ""
	case codeFilters:
		return "Event filters are not valid", ""
	case "EDI-008":
		return "A param value must be of the expected class", ""
	case "EDI-021":
		return "It is not possible to reply to this content right now.", ""
	case "EDI-028":
		return "Search query is invalid", ""
	case "EDI-031":
		return "Invalid value", "Value of type Array cannot be written to a field of type Hash"
	case "EDI-033":
		return "Content cannot be saved", "Author cannot be blank"
	case "EDI-036":
		return "Inefficient sort", ""
	case "EDI-038":
		return `"orderBy" param is invalid`, ""
	}
	return "Refused by the sandbox", ""
}

// refuse refuses a call as the quirk's value says, which concerns a parameter, or none.
func (o *oddity) refuse(c *call, parameter string) *reply {
	status, code := refusalOf(o.text())
	return refuseWith(c, status, code, errorDetail{ParameterName: parameter})
}

// refuseWith writes a refusal in the envelope of the API that is called. Without a code it is the
// API's own of that status.
func refuseWith(c *call, status int, code string, detail errorDetail) *reply {
	d, platform := c.api.(platformDialect)
	if !platform || code == "" {
		return new(c.api.refusal(status))
	}
	detail.ErrorCode = code
	detail.Message, detail.Details = wording(code, detail.ParameterName)
	rep := reply{status: status, body: platformError{
		ErrorCode: code, Message: detail.Message, ParameterName: detail.ParameterName, Errors: []errorDetail{detail},
	}}
	if d.newer {
		rep = slim(rep)
	}
	return &rep
}

// refuseParameter refuses a parameter as the API does.
func refuseParameter(c *call, parameter string) *reply {
	if _, platform := c.api.(platformDialect); !platform {
		return new(invalid(violation{parameter, "is not allowed"}))
	}
	return refuseWith(c, http.StatusBadRequest, codeInvalid, errorDetail{ParameterName: parameter})
}

// clamp lowers the page's size. The envelope names the lower one.
func clamp(o *oddity, c *call) *reply {
	name := "limit"
	if _, platform := c.api.(platformDialect); platform {
		name = "perPage"
	}
	asked, most := whole64(c.params.get(name)), whole64(o.text())
	if asked == 0 || asked > most {
		c.params.values.Set(name, strconv.FormatInt(most, 10))
	}
	return nil
}

// poison and beyondWindow see the page as other quirks have left it.
func poison(o *oddity, c *call) *reply {
	p, at := pageOf(c.params.get), whole64(o.text())
	if c.params.get("pageToken") != "" || at < p.from || at >= p.from+p.size {
		return nil
	}
	return new(c.api.refusal(http.StatusInternalServerError))
}

func beyondWindow(o *oddity, c *call) *reply {
	p := pageOf(c.params.get)
	if c.params.get("pageToken") != "" || p.from+p.size <= whole64(o.text()) {
		return nil
	}
	return refuseParameter(c, named(c, "page", "offset"))
}

// miscount spoils the count of Engage's envelope, or the totals of the platform's.
func miscount(o *oddity, _ *call, doc map[string]any) {
	of, names := doc, []string{"count"}
	if paging, is := doc["paging"].(map[string]any); is {
		of, names = paging, []string{"totalElements", "totalPages"}
	}
	rows := len(rowsOf(doc))
	for _, name := range names {
		switch o.text() {
		case "null":
			of[name] = nil
		case "page":
			of[name] = rows
		case "less":
			of[name] = max(0, rows-1)
		default:
			delete(of, name)
		}
	}
}

func pagingOf(doc map[string]any) map[string]any {
	paging, _ := doc["paging"].(map[string]any)
	return paging
}

func repeatToken(_ *oddity, c *call, doc map[string]any) {
	if token := c.params.get("pageToken"); token != "" && pagingOf(doc)["nextPageToken"] != nil {
		pagingOf(doc)["nextPageToken"] = token
	}
}

// cycleToken keeps the token of the second page, and gives it again after the third.
func cycleToken(o *oddity, c *call, doc map[string]any) {
	asked := c.params.get("pageToken")
	next, more := pagingOf(doc)["nextPageToken"].(string)
	switch {
	case asked == "" && more:
		o.keep(next)
	case asked != "" && asked != o.recall() && more:
		pagingOf(doc)["nextPageToken"] = o.recall()
	}
}

func loopPages(_ *oddity, c *call, doc map[string]any) {
	if navigation, is := doc["navigation"].(map[string]any); is {
		navigation["nextPage"] = map[string]any{"uri": baseOf(c.r) + c.r.URL.RequestURI()}
	}
}

// textual writes numbers and booleans as text.
func textual(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			out[name] = textual(inner)
		}
		return out
	}
	return v
}

// strip takes fields out of an object and of those in it.
func strip(doc map[string]any, names []string) {
	for name, inner := range doc {
		if slices.Contains(names, name) {
			delete(doc, name)
		} else if fields, is := inner.(map[string]any); is {
			strip(fields, names)
		}
	}
}

// refuseValues is what the platform is documented to say to a contextData that is not of strings
// alone.
func refuseValues(_ *oddity, c *call) *reply {
	for _, name := range []string{"contextData", "context_data"} {
		for _, v := range object(c.params.objects[name]) {
			if _, text := v.(string); !text {
				return refuseWith(c, http.StatusUnprocessableEntity, "EDI-008", errorDetail{ParameterName: name})
			}
		}
	}
	return nil
}

func hasFilter(value func(string) string, text string) bool {
	return slices.ContainsFunc(strings.Split(value("eventFilters[]"), ","), func(f string) bool { return f != "" && strings.HasPrefix(f, text) })
}

// refuseFilter names the filters that are refused.
func refuseFilter(o *oddity, c *call) *reply {
	var all []string
	for _, f := range c.params.list("eventFilters") {
		if strings.HasPrefix(f, o.text()) {
			all = append(all, f)
		}
	}
	return refuseWith(c, http.StatusBadRequest, codeFilters, errorDetail{ParameterName: "eventFilters", ParameterValue: strings.Join(all, ",")})
}

// filtersOf calls do with the filters of each subscription, and puts what it returns in their
// place.
func filtersOf(doc map[string]any, do func(row map[string]any, filters []any) []any) {
	for _, row := range rowsOf(doc) {
		if filters, is := row["eventFilters"].([]any); is {
			row["eventFilters"] = do(row, filters)
		}
	}
}

func disableFilters(o *oddity, _ *call, doc map[string]any) {
	filtersOf(doc, func(row map[string]any, filters []any) []any {
		disabled := []any{}
		filters = slices.DeleteFunc(filters, func(f any) bool {
			text, _ := f.(string)
			if !strings.HasPrefix(text, o.text()) {
				return false
			}
			disabled = append(disabled, map[string]any{"filter": text, "reason": codePermission, "message": "Not permitted"})
			return true
		})
		row["disabledFilters"] = disabled
		return filters
	})
}

func rewriteFilters(_ *oddity, _ *call, doc map[string]any) {
	filtersOf(doc, func(_ map[string]any, filters []any) []any {
		slices.Reverse(filters)
		for i, f := range filters {
			text, _ := f.(string)
			mark := "?"
			if strings.Contains(text, "?") {
				mark = "&"
			}
			filters[i] = text + mark + "added=true"
		}
		return filters
	})
}

// rewriteAddress shows the same address in another form.
func rewriteAddress(o *oddity, _ *call, doc map[string]any) {
	for _, row := range rowsOf(doc) {
		mode, _ := row["deliveryMode"].(map[string]any)
		address, is := mode["address"].(string)
		if !is {
			continue
		}
		scheme, rest, _ := strings.Cut(address, "://")
		host, path, _ := strings.Cut(rest, "/")
		switch o.text() {
		case "slash":
			path += "/"
		case "case":
			fold := strings.ToUpper
			if host != strings.ToLower(host) {
				fold = strings.ToLower
			}
			scheme, host = fold(scheme), fold(host)
		case "port":
			if !strings.Contains(host, ":") {
				host += map[string]string{"http": ":80", "https": ":443"}[scheme]
			}
		case "escape":
			path = strings.ReplaceAll(path, "w", "%77")
		}
		mode["address"] = scheme + "://" + host + "/" + path
	}
}

// shorten sets expiresIn of a subscription's creation and change.
func shorten(o *oddity, c *call) *reply {
	if !strings.Contains(c.r.URL.Path, "/subscription") {
		return nil
	}
	life, _ := time.ParseDuration(o.text()) // validateQuirk has seen it
	fields := map[string]any{}
	maps.Copy(fields, object(c.body))
	fields["expiresIn"] = int(life / time.Second)
	if body, err := json.Marshal(fields); err == nil {
		c.body = body
	}
	return nil
}
