package sandbox

import (
	"slices"
	"strconv"
	"strings"
)

// defaultLimit and maxLimit are the documented page sizes. A larger limit is taken as the largest: what the API does then
// is not documented, and the envelope tells the limit that was applied.
const (
	defaultLimit = 30
	maxLimit     = 150
)

// term is keyword:"value" of a q parameter; bare words are the keyword text.
type term struct {
	keyword string
	value   string
	negated bool
}

// search is a parsed q: values of one keyword are alternatives, keywords must all match.
type search struct {
	terms map[string][]term
	asc   bool
}

// parseSearch reads q and the separate order parameter. Other keywords than the given ones, and other orders than
// created_at.asc and .desc, are refused: nothing documents what the API makes of them.
func parseSearch(p params, keywords ...string) (search, *reply) {
	out := search{terms: map[string][]term{}}
	order := p.get("order")
	var words []string
	for _, t := range tokens(p.get("q")) {
		switch {
		case t.keyword == "order":
			order = t.value
		case t.keyword == "":
			words = append(words, t.value)
		case !slices.Contains(keywords, t.keyword):
			rep := invalid(violation{"q", "has the unknown keyword " + t.keyword})
			return out, &rep
		default:
			out.terms[t.keyword] = append(out.terms[t.keyword], t)
		}
	}
	if len(words) > 0 {
		if !slices.Contains(keywords, "text") {
			rep := invalid(violation{"q", "has no keyword text here"})
			return out, &rep
		}
		out.terms["text"] = append(out.terms["text"], term{keyword: "text", value: strings.Join(words, " ")})
	}
	switch order {
	case "", "created_at.desc":
	case "created_at.asc":
		out.asc = true
	default:
		rep := invalid(violation{"order", "must be created_at.desc or created_at.asc"})
		return out, &rep
	}
	return out, nil
}

// tokens splits q at spaces outside quotes.
func tokens(q string) []term {
	var out []term
	for q = strings.TrimSpace(q); q != ""; q = strings.TrimSpace(q) {
		end, quoted := 0, false
		for end < len(q) && (quoted || q[end] != ' ') {
			if q[end] == '"' {
				quoted = !quoted
			}
			end++
		}
		out = append(out, newTerm(q[:end]))
		q = q[end:]
	}
	return out
}

func newTerm(token string) term {
	keyword, value, found := strings.Cut(token, ":")
	if !found || strings.ContainsRune(keyword, '"') {
		return term{value: strings.Trim(token, `"`)}
	}
	bare, negated := strings.CutPrefix(keyword, "-")
	return term{keyword: bare, value: strings.Trim(value, `"`), negated: negated}
}

// matches asks the caller whether a row has a keyword's value.
func (s search) matches(has func(keyword, value string) bool) bool {
	for keyword, terms := range s.terms {
		wanted, found := false, false
		for _, t := range terms {
			hit := has(keyword, t.value)
			if t.negated {
				if hit {
					return false
				}
				continue
			}
			wanted, found = true, found || hit
		}
		if wanted && !found {
			return false
		}
	}
	return true
}

// hasText is the full-text search: every word occurs, whatever its case. It is not an exact comparison.
func hasText(body, words string) bool {
	body = strings.ToLower(body)
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if !strings.Contains(body, word) {
			return false
		}
	}
	return true
}

// envelope is what every list comes in; count is the number of all matches.
type envelope struct {
	Count   int `json:"count"`
	Offset  int `json:"offset"`
	Limit   int `json:"limit"`
	Records any `json:"records"`
}

// page answers with one page of all matches.
func page[T any](p params, all []*T) reply {
	offset, err := number(p.get("offset"), 0)
	if err != nil || offset < 0 {
		return invalid(violation{"offset", "is not a number from 0"})
	}
	limit, err := number(p.get("limit"), defaultLimit)
	if err != nil || limit < 1 {
		return invalid(violation{"limit", "is not a number from 1"})
	}
	limit = min(limit, maxLimit)
	from := min(offset, len(all))
	return ok(envelope{Count: len(all), Offset: offset, Limit: limit, Records: append([]*T{}, all[from:min(from+limit, len(all))]...)})
}

func number(text string, absent int) (int, error) {
	if text == "" {
		return absent, nil
	}
	return strconv.Atoi(text)
}
