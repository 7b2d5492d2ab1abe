package publish

import (
	"strings"
)

// What a notification is called on the topic activity follows from the address
// of its event, of which the sorts of resource are kept and the ids are not:
//
//	/restapi/v1.0/account/1/extension/2/message-store?type=SMS  message-store
//
// Those that are known have a name with a verb, by their sort:
//
//	message-store                  message-store.changed     a hint: something changed there
//	message-store.instant          message-store.received    instant, but neither SMS nor MMS
//	fax                            fax.received, fax.sent
//	voicemail                      voicemail.received
//	a2p-sms.messages               a2p-sms.received, a2p-sms.sent
//	a2p-sms.batches                a2p-sms.batch_changed
//	a2p-sms.opt-outs               a2p-sms.opt_out_changed
//	message-threads.sync           message-threads.changed
//	message-threads.entries.sync   message-threads.entries_changed
//	subscription                   subscription.expiring
//
// All others are <sort>.notified. Rows of the message store that are no texts
// are <type>.changed, such as voicemail.changed: see parseOtherRow.

// typeOfSort returns the event's type. outbound is what the body says of its
// direction.
func typeOfSort(sort string, outbound bool) string {
	switch sort {
	case "message-store":
		return "message-store.changed"
	case "message-store.instant":
		return "message-store.received"
	case "fax", "a2p-sms.messages":
		sort, _, _ = strings.Cut(sort, ".")
		if outbound {
			return sort + ".sent"
		}
		return sort + ".received"
	case "voicemail":
		return "voicemail.received"
	case "a2p-sms.batches":
		return "a2p-sms.batch_changed"
	case "a2p-sms.opt-outs":
		return "a2p-sms.opt_out_changed"
	case "message-threads.sync":
		return "message-threads.changed"
	case "message-threads.entries.sync":
		return "message-threads.entries_changed"
	case "subscription":
		return "subscription.expiring"
	}
	return sort + ".notified"
}

const (
	// maxSortParts and maxSortPart bound the name: real addresses have three such
	// parts at most, the longest of 20 letters.
	maxSortParts = 6
	maxSortPart  = 40
)

// eventSort names the sort of an event by its address, without the query.
func eventSort(path string) string {
	parts := strings.Split(path, "/")
	var kept []string
	for i, part := range parts {
		next := ""
		if i+1 < len(parts) {
			next = parts[i+1]
		}
		part = sortPart(part)
		switch {
		case part == "":
		case apiVersion(part):
			kept = nil // what comes before it names the API
		case (part == "account" || part == "extension") && resourceID(next):
		case !resourceID(part):
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return "unknown"
	}
	return strings.Join(kept[:min(len(kept), maxSortParts)], ".")
}

// sortPart keeps of a part what a name may hold.
func sortPart(part string) string {
	part = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '~' || r == '.' {
			return r
		}
		return -1
	}, strings.ToLower(part))
	return part[:min(len(part), maxSortPart)]
}

// apiVersion tells whether a part is a version, such as v1 or v1.0.
func apiVersion(part string) bool {
	digits := strings.TrimPrefix(part, "v")
	return digits != part && digits != "" && strings.Trim(digits, "0123456789.") == ""
}

// resourceID tells whether a part is an id: ~, digits, or long with digits in it.
func resourceID(part string) bool {
	return strings.Contains(part, "~") || part != "" && strings.Trim(part, "0123456789") == "" || len(part) >= 20 && strings.ContainsAny(part, "0123456789")
}
