package ringcentral

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// engageVersion ends the path of every Engage base URL; another version would answer in other shapes.
const engageVersion = "/1.0"

// EngageConfig says where an account's Engage Digital API is and how it is entered.
type EngageConfig struct {
	// BaseURL ends in /1.0, for example https://acme.api.engagement.dimelo.com/1.0. Empty turns Engage off.
	BaseURL string `env:"ENGAGE_BASE_URL"`
	// AccessToken is the API token. The calls are made as the user it belongs to.
	AccessToken Secret `env:"ENGAGE_ACCESS_TOKEN"`
	// Rate is how many calls a minute all processes together may make; 0 sets no limit of our own. 500 is the documented
	// limit, which no header tells.
	Rate int `env:"ENGAGE_RATE,default=500"`
}

// Enabled reports whether Engage is configured at all.
func (c EngageConfig) Enabled() bool { return c.BaseURL != "" }

// PlainText reports whether the token would cross a network unencrypted: http to a host that is not this machine.
// It is allowed, for gateways that add TLS; the operator should be warned.
func (c EngageConfig) PlainText() bool { return plainText(c.BaseURL) }

// Validate joins every fault, each naming its variable. No fault repeats a value: a mistyped one may hold the secret.
// What is off has no faults.
func (c EngageConfig) Validate() error {
	if !c.Enabled() {
		return nil
	}
	faults := baseURLFaults(c.BaseURL)
	switch token := c.AccessToken.Reveal(); {
	case token == "":
		faults = append(faults, errors.New("ENGAGE_ACCESS_TOKEN: must be set when ENGAGE_BASE_URL is"))
	case strings.ContainsFunc(token, notInToken):
		faults = append(faults, errors.New("ENGAGE_ACCESS_TOKEN: holds a space, a line break or another character that no token has"))
	}
	if c.Rate < 0 {
		faults = append(faults, errors.New("ENGAGE_RATE: must be 0 (no limit of our own) or more calls a minute"))
	}
	return errors.Join(faults...)
}

func baseURLFaults(base string) []error {
	const name = "ENGAGE_BASE_URL"
	faults := addressFaults(name, base, "ENGAGE_ACCESS_TOKEN")
	if u, err := url.Parse(base); err == nil && !strings.HasSuffix(strings.TrimRight(u.Path, "/"), engageVersion) {
		faults = append(faults, errors.New(name+": must end in "+engageVersion))
	}
	return faults
}

// addressFaults checks the address in the variable name; instead names the variables that credentials belong in.
func addressFaults(name, address, instead string) []error {
	u, err := url.Parse(address)
	if err != nil {
		return []error{errors.New(name + ": is not a URL")}
	}
	var faults []error
	fault := func(found bool, text string) {
		if found {
			faults = append(faults, errors.New(name+": "+text))
		}
	}
	fault(u.Scheme != "http" && u.Scheme != "https", "must begin with https:// (or http://)")
	fault(u.Hostname() == "", "names no host")
	fault(u.User != nil, "holds credentials: put them into "+instead)
	fault(u.RawQuery != "" || u.ForceQuery, "holds a query: put credentials into "+instead+", and nothing else")
	fault(u.Fragment != "", "holds a fragment (#)")
	return faults
}

// plainText reports whether address is http to another machine.
func plainText(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// notInToken reports what can't stand in a header's token: anything but visible ASCII.
func notInToken(r rune) bool { return r <= ' ' || r > '~' }
