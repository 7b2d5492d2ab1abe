package subscribe

import (
	"errors"
	"net"
	"net/url"
	"time"
)

// Config says where notifications are to go.
type Config struct {
	URL string `env:"RINGCENTRAL_WEBHOOK_URL"` // the public address of /webhooks/ringcentral; empty = no subscription is managed

	// Interval is from check to check, that of polling: who says how late a text may be
	// found says so too of the subscription that did not tell it. 0 means a minute,
	// which is the most.
	Interval time.Duration
}

// Enabled reports whether a subscription is managed.
func (c Config) Enabled() bool { return c.URL != "" }

// Validate returns the fault, naming the variable and not repeating the value.
func (c Config) Validate() error {
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("RINGCENTRAL_WEBHOOK_URL: want an address such as https://bridge.example.com/webhooks/ringcentral")
	case u.User != nil:
		return errors.New("RINGCENTRAL_WEBHOOK_URL: holds credentials: use RINGCENTRAL_WEBHOOK_TOKEN")
	}
	return nil
}

// PlainText reports whether the platform would refuse the address: it demands https of
// all but a simulated one on this machine.
func (c Config) PlainText() bool {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}
