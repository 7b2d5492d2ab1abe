package kafka

import (
	"strconv"
	"strings"
)

// needs are those that the topics share. A setting that the broker does not report is
// taken as its default.
func needs() (n struct{ notCompacted, onlyCompacted, keepsNewest, cleanElection, largeEnough need }) {
	n.notCompacted = need{
		key: "cleanup.policy",
		ok:  func(v string) bool { return !strings.Contains(v, "compact") },
		why: "compaction would drop all but the newest event of a conversation; set cleanup.policy=delete",
	}
	n.onlyCompacted = need{
		key: "cleanup.policy",
		ok:  func(v string) bool { return v == "compact" },
		why: "state that is deleted by age is forgotten, and events would come twice; set cleanup.policy=compact",
	}
	n.keepsNewest = need{
		key: "cleanup.policy",
		ok:  func(v string) bool { return strings.Contains(v, "compact") },
		why: "the ledger of replies is read whole at every start; set cleanup.policy=compact,delete",
	}
	n.cleanElection = need{
		key: "unclean.leader.election.enable",
		ok:  func(v string) bool { return v != "true" },
		why: "an unclean election loses acknowledged records; set unclean.leader.election.enable=false",
	}
	n.largeEnough = need{
		key: "max.message.bytes",
		ok:  func(v string) bool { n, err := strconv.Atoi(v); return err != nil || n >= minMessageBytes },
		why: "a large record would not fit; set max.message.bytes=" + maxMessageBytes,
	}
	return n
}

// minMessageBytes is the least max.message.bytes that a topic may have: Kafka's
// own default, with which all but the largest events fit.
const minMessageBytes = 1_000_000
