package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// settingGroup is a part of the help: settings that belong together.
type settingGroup struct {
	title    string
	settings []settingDoc
}

// settingDoc says what a setting means. Its default is taken from the
// configuration, so that the help can't lie about it.
type settingDoc struct{ name, text string }

// settingDocs explains every setting. A test holds it against the configuration.
func settingDocs() []settingGroup {
	return []settingGroup{
		{"Kafka", []settingDoc{
			{"KAFKA_BROKERS", "host:port, comma list; empty = the embedded broker, for trying out, on DATA_DIR"},
			{"KAFKA_TLS_ENABLED", "TLS to the brokers"},
			{"KAFKA_TLS_CA_FILE", "PEM file with their CA; empty = the system's"},
			{"KAFKA_TLS_CERT_FILE", "PEM file with a client certificate"},
			{"KAFKA_TLS_KEY_FILE", "PEM file with its key"},
			{"KAFKA_SASL_MECHANISM", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty = none"},
			{"KAFKA_SASL_USERNAME", "not for OAUTHBEARER"},
			{"KAFKA_SASL_PASSWORD", "for OAUTHBEARER the token"},
			{"TOPIC_PREFIX", "before the name of every topic and group"},
			{"TOPIC_PARTITIONS", "of each topic, when it is created"},
			{"TOPIC_REPLICATION", "of each topic, when it is created; 0 = the broker's default"},
			{"DATA_DIR", "where the embedded broker and registry keep their state"},
		}},
		{"Schema registry", []settingDoc{
			{"SCHEMA_REGISTRY_URL", "Confluent API; must be set when KAFKA_BROKERS is"},
			{"SCHEMA_REGISTRY_USERNAME", "for basic authentication"},
			{"SCHEMA_REGISTRY_PASSWORD", "for basic authentication"},
			{"SCHEMA_REGISTRY_REGISTER", "false = only look up; `ringbridge schemas register` is needed first"},
		}},
		{"Process", []settingDoc{
			{"HTTP_ADDR", "public listener: webhooks and nothing else"},
			{"HTTP_MAX_BODY", "largest webhook, in bytes; more is answered 413"},
			{"ADMIN_ADDR", "private listener: /metrics, /livez, /readyz, / the console; not on loopback it demands ADMIN_TOKEN"},
			{"ADMIN_TOKEN", "wanted as Authorization: Bearer, or by the console's login, by all of it but /livez and /readyz"},
			{"CONSOLE_MASK_TEXT", "true = the console hides what customers write and who they are"},
			{"SHUTDOWN_TIMEOUT", "how long a stop may take"},
			{"SPOOL_DIR", "keeps webhooks on disk while Kafka is unreachable; its own for each process, on a disk that outlives it; empty = 503"},
			{"ACCOUNT", "the account's name in events and their ids; changing it makes every event a new one"},
			{"LOG_LEVEL", "debug, info, warn or error"},
			{"LOG_FORMAT", "text or json"},
			{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector of traces (OTLP over HTTP), with the other standard OTEL_ variables; empty = none"},
		}},
		{"Engage Digital", []settingDoc{
			{"ENGAGE_BASE_URL", "ends in /1.0; empty = no polling, no enriching, no replies"},
			{"ENGAGE_ACCESS_TOKEN", "the API's token; replies are made as its user"},
			{"ENGAGE_WEBHOOK_SECRET", "X-Dimelo-Secret of webhooks; comma list, so that it can be rotated; empty = webhooks are off"},
			{"ENGAGE_WEBHOOK_VERIFY_TOKEN", "hub.verify_token of the handshake; comma list"},
			{"ENGAGE_RATE", "calls a minute of all replicas together; 0 = no limit of our own"},
			{"ENRICH_TIMEOUT", "how long an event waits for its author and what a webhook left out; 0 = not at all"},
		}},
		{"Polling", []settingDoc{
			{"POLL_INTERVAL", "from one round to the next; the subscription is checked as often, once a minute at least"},
			{"POLL_OVERLAP", "each round reads back so far beyond what is known"},
			{"POLL_SWEEP_INTERVAL", "from one sweep to the next"},
			{"POLL_SWEEP", "each sweep reads back so far, for rows that came late"},
		}},
		{"Replies", []settingDoc{
			{"REPLIES_CONCURRENCY", "calls at once, in this process"},
			{"REPLIES_MAX_ATTEMPTS", "calls for one command before it is dead-lettered"},
			{"REPLIES_BACKOFF_MIN", "bound of the first wait between two attempts"},
			{"REPLIES_BACKOFF_MAX", "bound of every wait"},
			{"REPLIES_CALL_TIMEOUT", "of one call"},
			{"REPLIES_CIRCUIT_FAILURES", "failures in a row, over two conversations or more, that are an outage: commands wait"},
			{"REPLIES_ON_AMBIGUOUS", "dead-letter or resend: what to do when it can't be told whether a call had its effect"},
		}},
		{"RingCentral platform", []settingDoc{
			{"RINGCENTRAL_WEBHOOK_TOKEN", "Verification-Token of notifications; comma list, so that it can be rotated; empty = they are off"},
			{"RINGCENTRAL_SERVER_URL", "the platform"},
			{"RINGCENTRAL_CLIENT_ID", "empty = off"},
			{"RINGCENTRAL_CLIENT_SECRET", "of the client"},
			{"RINGCENTRAL_JWT", "the user's credential"},
			{"RINGCENTRAL_CONTENTS_PATH", "/cx/social-messaging/v1, /engage/advanced-messaging/v1 or off"},
			{"RINGCENTRAL_WEBHOOK_URL", "the public address to subscribe with; empty = no subscription is managed"},
			{"SMS_RATE", "text messages a minute; 0 = no limit of our own"},
		}},
	}
}

// settingsHelp is the part of `run --help` that lists all settings.
func settingsHelp() string {
	var cfg config
	defaults := map[string]setting{}
	for _, s := range settingsOf(&cfg) {
		defaults[s.name] = s
	}
	var b strings.Builder
	b.WriteString("Settings come from the environment; defaults are in brackets. A secret, marked *, can\n" +
		"also be read from the file that NAME_FILE names. An empty variable counts as not set.\n")
	for _, group := range settingDocs() {
		fmt.Fprintf(&b, "\n%s\n", group.title)
		for _, doc := range group.settings {
			s := defaults[doc.name]
			name := doc.name
			if s.secret {
				name += "*"
			}
			text := doc.text
			if s.fallback != "" && s.fallback != zeroText(s) {
				text += " [" + s.fallback + "]"
			}
			fmt.Fprintf(&b, "  %-29s %s\n", name, text)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// zeroText is what the setting's type is without a value: no default to tell.
func zeroText(s setting) string {
	if s.field.Kind() == reflect.Bool {
		return "false"
	}
	return ""
}

// prefixes begin the names of our settings; other programs' may begin so too,
// which is why unknown ones are only warned about.
func prefixes() []string {
	return []string{"CONSOLE_", "ENGAGE_", "KAFKA_", "POLL_", "REPLIES_", "TOPIC_", "SCHEMA_REGISTRY_", "RINGCENTRAL_"}
}

// unknownSettings returns the variables that begin as ours do and are none: a
// misspelt name would have no effect, silently. It knows only environments that
// can list their names.
func unknownSettings(env any) (unknown []string) {
	lister, ok := env.(interface{ Names() []string })
	if !ok {
		return nil
	}
	var cfg config
	known := map[string]bool{}
	for _, s := range settingsOf(&cfg) {
		known[s.name] = true
		known[s.name+fileSuffix] = known[s.name+fileSuffix] || s.secret
	}
	for _, name := range lister.Names() {
		ours := slices.ContainsFunc(prefixes(), func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		// Kubernetes sets NAME_PORT… and NAME_SERVICE_… for each service.
		foreign := strings.Contains(name, "_PORT") || strings.Contains(name, "_SERVICE_")
		if ours && !foreign && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
