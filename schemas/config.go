package schemas

import (
	"errors"
	"net/url"

	"github.com/ringbridge/ringbridge/internal/secret"
)

// Config says which schema registry to use, through its Confluent API.
type Config struct {
	URL      string        `env:"SCHEMA_REGISTRY_URL"`                   // base address, such as http://localhost:8081; empty goes with the embedded broker
	Username string        `env:"SCHEMA_REGISTRY_USERNAME"`              // for basic authentication; empty = none
	Password secret.String `env:"SCHEMA_REGISTRY_PASSWORD"`              // for basic authentication
	Register bool          `env:"SCHEMA_REGISTRY_REGISTER,default=true"` // false = look up only: the schemas must have been registered before
}

// Validate returns every fault, each naming its variable.
func (c Config) Validate() error {
	var faults []error
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
			faults = append(faults, errors.New("SCHEMA_REGISTRY_URL: want an address such as http://localhost:8081"))
		case u.User != nil:
			faults = append(faults, errors.New("SCHEMA_REGISTRY_URL: holds credentials; use SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD"))
		}
	}
	if (c.Username == "") != (c.Password.Reveal() == "") {
		faults = append(faults, errors.New("SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD: set both or neither"))
	}
	return errors.Join(faults...)
}
