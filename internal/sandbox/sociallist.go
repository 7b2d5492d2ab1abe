package sandbox

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// advancedPerPage is the default page of Advanced Messaging.
const advancedPerPage = 30

// socialAPI is Social Messaging under one of its addresses.
type socialAPI struct {
	*Platform
	old      bool // spelling of fields and filters
	advanced bool
}

// listContents is GET …/contents. Filters that it does not know are ignored: a wrong name gives everything. There is none for
// dates, parents or foreign ids.
func (a *socialAPI) listContents(c *call) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []keyed
	for _, content := range a.social.index {
		if a.matches(c, content) {
			found = append(found, content)
		}
	}
	return a.keyset(c, found)
}

// filter reads a list parameter under the name of the spelling in use.
func (a *socialAPI) filter(c *call, present, former string) []string {
	if a.old {
		return append(values(c.params.values, former), values(c.params.values, former+"[]")...)
	}
	return append(values(c.params.values, present), values(c.params.values, present+"[]")...)
}

func (a *socialAPI) matches(c *call, content *SocialContent) bool {
	fields := []struct{ present, former, value string }{
		{"interventionIds", "intervention", string(content.InterventionID)},
		{"authorIdentityIds", "identity", content.AuthorIdentityID},
		{"authorIdentityGroupIds", "identityGroup", string(content.IdentityGroupID)},
		{"channelIds", "source", content.ChannelID},
		{"threadIds", "thread", content.ThreadID},
		{"status", "status", content.Status},
	}
	for _, f := range fields {
		if asked := a.filter(c, f.present, f.former); len(asked) > 0 && !slices.Contains(asked, f.value) {
			return false
		}
	}
	if direction := c.params.get("contentDirection"); !a.old && direction != "" && direction != content.ContentDirection {
		return false
	}
	for _, text := range a.filter(c, "text", "text") {
		if !hasText(content.Body, text) {
			return false
		}
	}
	return true
}

// keyed is a row of a list by keyset.
type keyed interface {
	key(field string) (at time.Time, id string)
}

func (c *SocialContent) key(field string) (time.Time, string) {
	if field == fieldModified {
		return c.LastModifiedTime, c.ID
	}
	return c.CreationTime, c.ID
}

func (i *SocialIdentity) key(field string) (time.Time, string) {
	if field == fieldModified {
		return i.LastModifiedTime, i.ID
	}
	return i.CreationTime, i.ID
}

const (
	fieldCreated  = "creationTime"
	fieldModified = "lastModifiedTime"
)

// pageToken says where a page ends: a value of the field that the list is sorted by. The id breaks ties.
type pageToken struct {
	Value float64 `json:"value"` // seconds since 1970
	Field string  `json:"field"`
	ID    string  `json:"id"`
	Asc   bool    `json:"asc"`
}

// order reads orderBy. In an address "+" is a space, which is why a client that does not escape it gets the default.
func order(text string) (field string, asc bool) {
	switch strings.TrimSpace(text) {
	case "+" + fieldCreated, fieldCreated:
		return fieldCreated, true
	case "+" + fieldModified, fieldModified:
		return fieldModified, true
	case "-" + fieldModified:
		return fieldModified, false
	}
	return fieldCreated, false // also for what it does not know
}

// keyset sorts the rows and gives the page that the token asks for. Rows that move while pages are read are met again, or not
// at all: that is up to the order asked for.
func (a *socialAPI) keyset(c *call, found []keyed) reply {
	var t pageToken
	t.Field, t.Asc = order(c.params.get("orderBy"))
	text := c.params.get("pageToken")
	if text != "" {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || json.Unmarshal(raw, &t) != nil {
			return slim(badParameter("pageToken"))
		}
	}
	compare := func(at time.Time, id string, with pageToken) int {
		out := cmp.Or(cmp.Compare(float64(at.UnixMilli())/1000, with.Value), cmp.Compare(id, with.ID))
		if !t.Asc {
			return -out
		}
		return out
	}
	place := func(row keyed) pageToken {
		at, id := row.key(t.Field)
		return pageToken{Value: float64(at.UnixMilli()) / 1000, Field: t.Field, ID: id, Asc: t.Asc}
	}
	slices.SortFunc(found, func(x, y keyed) int {
		at, id := x.key(t.Field)
		return compare(at, id, place(y))
	})
	if text != "" {
		found = slices.DeleteFunc(found, func(row keyed) bool {
			at, id := row.key(t.Field)
			return compare(at, id, t) <= 0
		})
	}
	return a.pageOf(c, found, text, place)
}

func (a *socialAPI) pageOf(c *call, found []keyed, token string, place func(keyed) pageToken) reply {
	absent := defaultPerPage
	if a.advanced {
		absent = advancedPerPage
	}
	per, err := number(c.params.get("perPage"), absent)
	if err != nil || per < 1 {
		per = absent
	}
	per = min(per, maxPerPage)
	paging := map[string]any{"perPage": per}
	if token != "" {
		paging["pageToken"] = token
	}
	if a.old {
		paging["nextPageToken"] = "" // the former spelling of "there is none"
	}
	if len(found) > per {
		found = found[:per]
		raw, err := json.Marshal(place(found[per-1]))
		if err != nil {
			return reply{status: http.StatusInternalServerError}
		}
		paging["nextPageToken"] = base64.StdEncoding.EncodeToString(raw)
	}
	records := make([]any, len(found))
	for i, row := range found {
		records[i] = a.spell(row)
	}
	return ok(map[string]any{"records": records, "paging": paging})
}

// getContent is GET …/contents/{id}.
func (a *socialAPI) getContent(c *call) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	content := a.social.contents[c.r.PathValue("id")]
	if content == nil {
		return slim(missing("contentId"))
	}
	return ok(a.spell(content))
}

// spell writes a row in the spelling of the day: fields named after sources instead of channels, formats with capitals.
func (a *socialAPI) spell(row any) any {
	content, is := row.(*SocialContent)
	if !is {
		return row
	}
	out := *content
	if a.cfg.CapitalFormats {
		out.BodyFormatted = map[string]string{"Text": out.BodyFormatted["text"], "Html": out.BodyFormatted["html"]}
	}
	if !a.old {
		return out
	}
	raw, err := json.Marshal(out)
	fields := map[string]json.RawMessage{}
	if err != nil || json.Unmarshal(raw, &fields) != nil {
		return out // context data of an import that is no JSON
	}
	for _, name := range []string{"Id", "Type", "Uri"} {
		fields["source"+name] = fields["channel"+name]
		delete(fields, "channel"+name)
	}
	delete(fields, "contentDirection") // a later addition
	return fields
}

// listIdentities is GET …/identities.
func (a *socialAPI) listIdentities(c *call) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := c.params
	channel := a.filter(c, "channelId", "sourceId")
	groups := a.filter(c, "identityGroupIds", "identityGroupIds")
	var found []keyed
	for _, i := range a.social.identities {
		if len(channel) > 0 && !slices.Contains(channel, i.channel) ||
			len(groups) > 0 && !slices.Contains(groups, string(i.IdentityGroupID)) ||
			q.get("identityType") != "" && q.get("identityType") != i.IdentityType ||
			q.get("userId") != "" && !slices.Contains(i.UserIDs, q.get("userId")) ||
			q.get("uuid") != "" && q.get("uuid") != i.UUID {
			continue
		}
		found = append(found, i)
	}
	return a.keyset(c, found)
}

// getIdentity is GET …/identities/{id}.
func (a *socialAPI) getIdentity(c *call) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	identity := a.social.identities[c.r.PathValue("id")]
	if identity == nil {
		return slim(missing("identityId"))
	}
	return ok(*identity)
}
