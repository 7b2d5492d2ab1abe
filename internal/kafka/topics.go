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
	lost     string            // what is gone when the topic is deleted
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
	deleted := func(name, millis, group, lost string) spec {
		return spec{
			name: name, group: group, lost: lost,
			settings: map[string]string{"cleanup.policy": "delete", "retention.ms": millis, "max.message.bytes": maxMessageBytes},
			needs:    []need{of.notCompacted, of.largeEnough, of.cleanElection},
		}
	}
	compacted := func(name, group, lost string) spec {
		return spec{
			name: name, group: group, lost: lost,
			settings: map[string]string{"cleanup.policy": "compact", "max.message.bytes": maxMessageBytes},
			needs:    []need{of.onlyCompacted, of.largeEnough, of.cleanElection},
		}
	}
	const (
		events  = "the events on it are gone for those who had not read them; what comes in from now on is published"
		letters = "its dead letters are gone"
	)
	return []spec{
		deleted(n.Inbox, weekMillis, inbound, "what was not published yet is gone, but for what polling finds again"),
		deleted(n.InboxDLQ, monthMillis, "", letters),
		deleted(n.Contents, monthMillis, inbound, events),
		compacted(n.Identities, "", events),
		deleted(n.Messages, monthMillis, inbound, events),
		deleted(n.Activity, monthMillis, inbound, events),
		deleted(n.Replies, weekMillis, outbound, "commands that had not ended are gone"),
		{
			// The ledger: compacted, and kept long enough that a command id is
			// still known when its command could come again.
			name: n.Results, group: outbound,
			settings: map[string]string{"cleanup.policy": "compact,delete", "retention.ms": quarterMillis, "min.compaction.lag.ms": "0"},
			needs:    []need{of.keepsNewest, of.cleanElection},
			lost: "commands under way are looked up before they are sent again, but which others were carried out is not known any more: " +
				"one whose command_id is produced again is carried out again",
		},
		deleted(n.RepliesDLQ, quarterMillis, "", letters),
		compacted(n.Cursors, "", "polling begins POLL_OVERLAP ago; `ringbridge backfill` fetches what is older"),
		compacted(n.Seen, inbound, "publish knows what it has published as far back as the inbox goes, and publishes what is older again if it comes again"),
	}
}
