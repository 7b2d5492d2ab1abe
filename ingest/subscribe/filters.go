package subscribe

import (
	"regexp"
	"slices"
)

const messageStore = "/restapi/v1.0/account/~/extension/~/message-store"

// filters lists what is subscribed to. contentsPath is the base path of the contents
// API; empty = off.
func filters(contentsPath string) []string {
	wanted := []string{
		messageStore + "/instant?type=SMS", // the messages themselves, inbound only
		messageStore + "?type=SMS",         // hints of everything else
	}
	if contentsPath != "" {
		for _, event := range []string{"Imported", "Exported", "DiscussionInitiated"} {
			wanted = append(wanted, contentsPath+"/contents/"+event)
		}
	}
	return wanted
}

// ownIDs are the places of ids that come back where a ~ was sent.
var ownIDs = regexp.MustCompile(`/(account|extension)/[^/?]+`)

// sameFilters compares filters as sent with filters as shown.
func sameFilters(sent, shown []string) bool {
	return slices.Equal(normal(sent), normal(shown))
}

func normal(filters []string) []string {
	plain := make([]string, len(filters))
	for i, f := range filters {
		plain[i] = ownIDs.ReplaceAllString(f, "/$1/~")
	}
	slices.Sort(plain)
	return slices.Compact(plain)
}
