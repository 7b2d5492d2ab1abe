package ringcentral

import (
	"encoding/json"
	"errors"
)

// Reasons why the body of a success can't be used. They quote nothing of it.
var (
	errNotObject = errors.New("not a JSON object")
	errNoID      = errors.New("without an id")
	errNotPage   = errors.New("not a page")
	errNoRecords = errors.New("a page without records")
)

// Page is one page of a list, by offset. While pages are read, new rows shift the later ones.
type Page struct {
	// Count is how many rows match in all, Offset how many come before this page, Limit how many a page holds at most: as the
	// API answers, which may be less than was asked for. Each is 0 where the API does not say it, and none can be trusted: the
	// list ends where a page is empty.
	Count, Offset, Limit int
	// Records are the rows as received, null and what is no object included. Never nil.
	Records []json.RawMessage
}

// readPage decodes the envelope of a list by offset. Numbers that make no sense count as absent.
func readPage(page *Page) func([]byte) error {
	return func(body []byte) error {
		e, err := readEnvelope(body)
		if err != nil {
			return err
		}
		records, err := e.records("count", "offset", "limit")
		if err != nil {
			return err
		}
		count, _ := e.number("count")
		offset, _ := e.number("offset")
		limit, _ := e.number("limit")
		if !e.has("records") && count > offset {
			return errUncountedRecords
		}
		*page = Page{Count: count, Offset: offset, Limit: limit, Records: records}
		return nil
	}
}

// readResource takes a JSON object that has an id.
func readResource(resource *json.RawMessage) func([]byte) error {
	return func(body []byte) error {
		var named struct {
			ID any `json:"id"`
		}
		if err := json.Unmarshal(body, &named); err != nil {
			return errNotObject
		}
		if named.ID == nil || named.ID == "" {
			return errNoID
		}
		*resource = body
		return nil
	}
}

// readObject takes any JSON object: the answers of operations that answer with nothing but "Success".
func readObject(body []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return errNotObject
	}
	return nil
}

// readNothing takes any body: the status says all.
func readNothing([]byte) error { return nil }

// ID returns the id of a resource as text, whether it is a string, as in events, or a number, which may be beyond what a float64 holds.
// Empty if there is none.
func ID(resource json.RawMessage) string {
	var named struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(resource, &named) != nil {
		return ""
	}
	var id string
	if json.Unmarshal(named.ID, &id) == nil {
		return id
	}
	if id = string(named.ID); !allDigits(id) {
		return ""
	}
	return id
}
