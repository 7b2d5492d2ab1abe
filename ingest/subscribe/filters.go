package subscribe

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

const messageStore = "/restapi/v1.0/account/~/extension/~/message-store"

// messageFilters are those of text messages.
func messageFilters() []string {
	return []string{
		messageStore + "/instant?type=SMS", // the messages themselves, inbound only
		messageStore + "?type=SMS",         // hints of everything else
	}
}

// filterGroups lists what is subscribed to. What is in one group is of one API, so the
// platform most likely takes all of it or nothing. contentsPath is the base path of the
// contents API; empty = off.
func filterGroups(contentsPath string) [][]string {
	groups := [][]string{messageFilters()}
	if contentsPath == "" {
		return groups
	}
	var contents []string
	for _, event := range []string{"Imported", "Exported", "DiscussionInitiated"} {
		contents = append(contents, contentsPath+"/contents/"+event)
	}
	return append(groups, contents)
}

// ownIDs are the places of ids that come back where a ~ was sent.
var ownIDs = regexp.MustCompile(`/(account|extension)/[^/]+`)

// A filter is an event filter taken apart, to be compared by its meaning.
type filter struct {
	path   string // in lower case, with ~ for ids
	params []string
}

// readFilter takes a filter apart. It may be shown with the API's host before it.
func readFilter(text string) filter {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return filter{path: text}
	}
	f := filter{path: ownIDs.ReplaceAllString(strings.ToLower(normalPath(u.EscapedPath())), "/$1/~")}
	for name, values := range u.Query() {
		for _, value := range values {
			f.params = append(f.params, strings.ToLower(name+"="+value))
		}
	}
	slices.Sort(f.params)
	return f
}

// shows reports whether f is what the platform makes of sent: it may add parameters, such
// as a default.
func (f filter) shows(sent filter) bool {
	return f.path == sent.path && !slices.ContainsFunc(sent.params, func(p string) bool { return !slices.Contains(f.params, p) })
}

// sameFilters compares filters as sent with those of a subscription, as sets. One that is
// disabled is there: sending it again would not enable it.
func sameFilters(sent []string, s ringcentral.Subscription) bool {
	shown := readFilters(s.EventFilters)
	wanted := readFilters(sent)
	for _, f := range shown {
		if !slices.ContainsFunc(wanted, f.shows) {
			return false
		}
	}
	for _, d := range s.DisabledFilters {
		shown = append(shown, readFilter(d.Filter))
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(shown, func(f filter) bool { return f.shows(w) }) {
			return false
		}
	}
	return true
}

func readFilters(texts []string) []filter {
	filters := make([]filter, len(texts))
	for i, text := range texts {
		filters[i] = readFilter(text)
	}
	return filters
}

// signature is equal for equal sets of filters.
func signature(texts []string) string {
	var all []string
	for _, f := range readFilters(texts) {
		all = append(all, f.path+"?"+strings.Join(f.params, "&"))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "\n")
}

// namedFilters returns those of sent that a refusal names. One that names all of them
// names none.
func namedFilters(sent []string, refusal *ringcentral.FilterError) []string {
	var said []filter
	for _, text := range refusal.Named {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n,;\"'[](){}<>", r) }) {
			said = append(said, readFilter(strings.TrimRight(word, ".:")))
		}
	}
	named := slices.DeleteFunc(slices.Clone(sent), func(text string) bool {
		f := readFilter(text)
		return !slices.ContainsFunc(said, func(s filter) bool { return s.shows(f) })
	})
	if len(named) == len(sent) {
		return nil
	}
	return named
}
