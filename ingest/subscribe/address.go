package subscribe

import (
	"net/url"
	"strings"
)

// SameAddress reports whether two addresses of a webhook are one by RFC 3986: the case of
// scheme and host, a default port, dot segments, percent-encoding and the order of
// parameters make no difference, nor does a slash at the end, which the platform may add.
func SameAddress(a, b string) bool { return normalAddress(a) == normalAddress(b) }

// normalAddress returns an address in the form in which addresses are compared. What is
// no address stays as it is.
func normalAddress(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" {
		return text
	}
	scheme, host := strings.ToLower(u.Scheme), strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && scheme+port != "http80" && scheme+port != "https443" {
		host += ":" + port
	}
	normal := scheme + "://" + host + normalPath(u.EscapedPath())
	if query := u.Query().Encode(); query != "" {
		normal += "?" + query
	}
	return normal
}

// normalPath spells each segment in one way, resolves dot segments and leaves out the
// slash at the end.
func normalPath(escaped string) string {
	var segments []string
	for segment := range strings.SplitSeq(escaped, "/") {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
		switch segment {
		case ".":
		case "..":
			segments = segments[:max(len(segments)-1, 1)]
		default:
			segments = append(segments, url.PathEscape(segment))
		}
	}
	return strings.TrimRight(strings.Join(segments, "/"), "/")
}
