package crash

import (
	"fmt"
	"os"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// environ is the program's environment, without what is a replica's own.
func (b *bed) environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.cfg.Dir} //nolint:forbidigo // handed on to the program under test
	for name, value := range map[string]string{
		"KAFKA_BROKERS": b.parts.Kafka.Addr(), "SCHEMA_REGISTRY_URL": b.proxy.url, "TOPIC_PREFIX": prefix, "TOPIC_PARTITIONS": fmt.Sprint(partitions),
		"ACCOUNT": "acme", "ENGAGE_BASE_URL": "http://" + b.api.Addr + "/1.0", "ENGAGE_ACCESS_TOKEN": sandbox.DefaultToken, "ENGAGE_RATE": "0",
		"ENGAGE_WEBHOOK_SECRET": secret, "ENGAGE_WEBHOOK_VERIFY_TOKEN": verifyToken, "LOG_FORMAT": "json", "ENRICH_TIMEOUT": "200ms",
		"POLL_INTERVAL": "500ms", "POLL_OVERLAP": "30s", "POLL_SWEEP_INTERVAL": "1m", "POLL_SWEEP": "2m",
		"REPLIES_CALL_TIMEOUT": callTimeout.String(), "REPLIES_BACKOFF_MIN": "100ms", "REPLIES_BACKOFF_MAX": "500ms", "REPLIES_MAX_ATTEMPTS": "100",
		"RINGCENTRAL_SERVER_URL": "http://" + b.api.Addr, "RINGCENTRAL_CLIENT_ID": sandbox.DefaultClientID, "RINGCENTRAL_CLIENT_SECRET": sandbox.DefaultClientSecret,
		"RINGCENTRAL_JWT": sandbox.DefaultJWT, "RINGCENTRAL_WEBHOOK_TOKEN": platformToken, "RINGCENTRAL_WEBHOOK_URL": b.webhookURL(), "SMS_RATE": "0",
	} {
		env = append(env, name+"="+value)
	}
	return env
}

// webhookURL is where the platform is to send notifications to; "" before there is a front.
func (b *bed) webhookURL() string {
	if b.front == nil {
		return ""
	}
	return b.front.url
}

// platformConfig has no limits: they are not what is tested.
func platformConfig() sandbox.PlatformConfig {
	return sandbox.PlatformConfig{
		IndexLag: indexLag, SentAfter: sentAfter, DeliveredAfter: deliveredAfter, SMSPerMinute: -1,
		Limits: map[sandbox.RateGroup]int{
			sandbox.GroupLight: -1, sandbox.GroupMedium: -1, sandbox.GroupHeavy: -1, sandbox.GroupAuth: -1,
		},
		Notifications: notifications(),
	}
}

// notifications is how those of the platform travel.
func notifications() sandbox.Notifications {
	return sandbox.Notifications{DuplicateRate: repeatedRate, Reorder: true}
}

// deliveries is how webhooks of Engage Digital travel: what a replica does not take comes again
// soon.
func deliveries() sandbox.Delivery {
	return sandbox.Delivery{DuplicateRate: repeatedRate, Reorder: true, RetryScale: retryScale}
}
