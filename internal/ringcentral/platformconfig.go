package ringcentral

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// The two generations of the contents API, as base paths, and none.
const (
	SocialMessaging   = "/cx/social-messaging/v1"
	AdvancedMessaging = "/engage/advanced-messaging/v1"
	ContentsOff       = "off"
)

// PlatformConfig says where the RingCentral platform is and how it is entered.
type PlatformConfig struct {
	ServerURL string `env:"RINGCENTRAL_SERVER_URL,default=https://platform.ringcentral.com"`
	// ClientID names the application. Empty turns the platform off.
	ClientID     string `env:"RINGCENTRAL_CLIENT_ID"`
	ClientSecret Secret `env:"RINGCENTRAL_CLIENT_SECRET"`
	// JWT is the credential of the user that the calls are made as.
	JWT Secret `env:"RINGCENTRAL_JWT"`
	// ContentsPath is SocialMessaging, AdvancedMessaging or ContentsOff.
	ContentsPath string `env:"RINGCENTRAL_CONTENTS_PATH,default=/cx/social-messaging/v1"`
	// SMSRate is how many text messages a minute all processes together may send; 0 sets no limit of our own. 40 is the documented
	// limit of an account, which no header tells.
	SMSRate int `env:"SMS_RATE,default=40"`
}

// Enabled reports whether the platform is configured at all.
func (c PlatformConfig) Enabled() bool { return c.ClientID != "" }

// Contents reports whether the contents API is configured.
func (c PlatformConfig) Contents() bool { return c.Enabled() && c.ContentsPath != ContentsOff }

// PlainText reports whether the credentials would cross a network unencrypted, as EngageConfig's does.
func (c PlatformConfig) PlainText() bool { return plainText(c.ServerURL) }

// Validate joins every fault, each naming its variable and none repeating a value.
func (c PlatformConfig) Validate() error {
	var faults []error
	for _, s := range []struct {
		name  string
		value Secret
	}{{"RINGCENTRAL_CLIENT_SECRET", c.ClientSecret}, {"RINGCENTRAL_JWT", c.JWT}} {
		switch value := s.value.Reveal(); {
		case c.Enabled() != (value != ""):
			faults = append(faults, errors.New(s.name+": set it together with RINGCENTRAL_CLIENT_ID, or neither"))
		case strings.ContainsFunc(value, notInToken):
			faults = append(faults, errors.New(s.name+": holds a space, a line break or another character that no credential has"))
		}
	}
	if c.SMSRate < 0 {
		faults = append(faults, errors.New("SMS_RATE: want 0 (no limit of our own) or more calls a minute"))
	}
	if !slices.Contains([]string{SocialMessaging, AdvancedMessaging, ContentsOff}, c.ContentsPath) {
		faults = append(faults, errors.New("RINGCENTRAL_CONTENTS_PATH: want /cx/social-messaging/v1, /engage/advanced-messaging/v1 or off"))
	}
	if strings.ContainsFunc(c.ClientID, notInToken) || strings.Contains(c.ClientID, ":") {
		faults = append(faults, errors.New("RINGCENTRAL_CLIENT_ID: holds a space, a colon or another character that no client id has"))
	}
	if c.Enabled() {
		instead := "RINGCENTRAL_CLIENT_SECRET and RINGCENTRAL_JWT"
		faults = append(faults, addressFaults("RINGCENTRAL_SERVER_URL", c.ServerURL, instead)...)
		if u, err := url.Parse(c.ServerURL); err == nil && strings.Trim(u.Path, "/") != "" {
			faults = append(faults, errors.New("RINGCENTRAL_SERVER_URL: holds a path: want the server alone"))
		}
	}
	return errors.Join(faults...)
}
