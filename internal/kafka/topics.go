package kafka

import (
	"errors"
	"fmt"
	"regexp"
)

// TopicConfig says how the topics are named and made.
type TopicConfig struct {
	Prefix      string `env:"TOPIC_PREFIX,default=ringcentral."` // before every topic's and group's name
	Partitions  int    `env:"TOPIC_PARTITIONS,default=6"`        // of each topic, when it is created
	Replication int    `env:"TOPIC_REPLICATION,default=0"`       // replicas of each partition, when it is created; 0 = the broker's default
}

// maxPartitions bounds TOPIC_PARTITIONS: more than this is a slip of the hand.
const maxPartitions = 10_000

var prefixForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{0,200}$`)

// Validate returns every fault, each naming its variable.
func (c TopicConfig) Validate() error {
	var faults []error
	if !prefixForm.MatchString(c.Prefix) {
		faults = append(faults, errors.New("TOPIC_PREFIX: want at most 200 of letters, digits, '.', '_' and '-'"))
	}
	if c.Partitions < 1 || c.Partitions > maxPartitions {
		faults = append(faults, fmt.Errorf("TOPIC_PARTITIONS: want 1 to %d", maxPartitions))
	}
	if c.Replication < 0 || c.Replication > 32767 {
		faults = append(faults, errors.New("TOPIC_REPLICATION: want 0 (the broker's default) or more"))
	}
	return errors.Join(faults...)
}

// Names are the topics' full names.
type Names struct {
	prefix string

	Inbox, InboxDLQ                          string
	Contents, Identities, Messages, Activity string
	Replies, Results, RepliesDLQ             string
	Cursors, Seen                            string
}

// TopicNames returns the names under a prefix.
func TopicNames(prefix string) Names {
	return Names{
		prefix: prefix,
		Inbox:  prefix + "inbox", InboxDLQ: prefix + "inbox.dlq",
		Contents: prefix + "contents", Identities: prefix + "identities", Messages: prefix + "messages", Activity: prefix + "activity",
		Replies: prefix + "replies", Results: prefix + "replies.results", RepliesDLQ: prefix + "replies.dlq",
		Cursors: prefix + "cursors", Seen: prefix + "seen",
	}
}

// Group returns the name of a stage's consumer group.
func (n Names) Group(stage string) string { return n.prefix + stage }

// A spec is a topic with the settings that its guarantees need.
type spec struct {
	name     string
	settings map[string]string // made with these
	needs    []need            // and checked for these
	group    string            // topics of one group have one partition count
}

// A need is a setting that a guarantee rests on.
type need struct {
	key string
	ok  func(value string) bool
	why string // what breaks, and what to set
}

// The sizes and times of the topics.
const (
	// maxMessageBytes is above the largest webhook (HTTP_MAX_BODY), which an
	// event may hold twice: parsed and raw.
	maxMessageBytes = "16777216"
	weekMillis      = "604800000"
	monthMillis     = "2592000000"
	quarterMillis   = "7776000000"
)

// Partition groups: topics whose partition numbers must mean the same
// conversations, so that an owner finds its state where its work is.
const (
	inbound  = "inbound"
	outbound = "outbound"
)

func specs(n Names) []spec {
	of := needs()
	deleted := func(name, millis, group string) spec {
		return spec{
			name: name, group: group,
			settings: map[string]string{"cleanup.policy": "delete", "retention.ms": millis, "max.message.bytes": maxMessageBytes},
			needs:    []need{of.notCompacted, of.largeEnough, of.cleanElection},
		}
	}
	compacted := func(name, group string) spec {
		return spec{
			name: name, group: group,
			settings: map[string]string{"cleanup.policy": "compact"},
			needs:    []need{of.onlyCompacted, of.cleanElection},
		}
	}
	identities := compacted(n.Identities, "")
	identities.settings["max.message.bytes"] = maxMessageBytes
	return []spec{
		deleted(n.Inbox, weekMillis, inbound),
		deleted(n.InboxDLQ, monthMillis, ""),
		deleted(n.Contents, monthMillis, inbound),
		identities,
		deleted(n.Messages, monthMillis, inbound),
		deleted(n.Activity, monthMillis, inbound),
		deleted(n.Replies, weekMillis, outbound),
		{
			// The ledger: compacted, and kept long enough that a command id is
			// still known when its command could come again.
			name: n.Results, group: outbound,
			settings: map[string]string{"cleanup.policy": "compact,delete", "retention.ms": quarterMillis, "min.compaction.lag.ms": "0"},
			needs:    []need{of.keepsNewest, of.cleanElection},
		},
		deleted(n.RepliesDLQ, quarterMillis, ""),
		compacted(n.Cursors, ""),
		compacted(n.Seen, inbound),
	}
}
