package schemas

// Compatibility is a rule that the registry holds a subject's versions to, by
// the name the Confluent API gives it.
type Compatibility string

const (
	// FullTransitive lets old and new readers and writers meet: the rule for
	// what the bridge produces, where neither side upgrades first.
	FullTransitive Compatibility = "FULL_TRANSITIVE"
	// BackwardTransitive lets a new reader read old values: the rule for
	// replies, where the bridge upgrades first, so that actions can be added.
	BackwardTransitive Compatibility = "BACKWARD_TRANSITIVE"
)

// A Subject is one schema under the name that the registry knows it by.
type Subject struct {
	Topic         string        // the topic's name without the prefix, such as "contents"
	Record        string        // the schema's short name, such as "ContentEvent"
	Compatibility Compatibility // how its versions must relate
}

// Name returns the subject's name for topics under prefix: TopicNameStrategy.
func (s Subject) Name(prefix string) string { return prefix + s.Topic + "-value" }

// Subjects lists every subject, in the order in which they are registered, so
// that an empty registry gives them the same ids each time.
func Subjects() []Subject {
	return []Subject{
		{"inbox", "Arrival", FullTransitive},
		{"contents", "ContentEvent", FullTransitive},
		{"identities", "Identity", FullTransitive},
		{"messages", "MessageEvent", FullTransitive},
		{"activity", "ActivityEvent", FullTransitive},
		{"replies", "ReplyCommand", BackwardTransitive},
		{"replies.results", "ReplyResult", FullTransitive},
	}
}

// A Value is anything that has a schema of its own on a topic.
type Value interface{ record() string }

func (*Arrival) record() string       { return "Arrival" }
func (*ContentEvent) record() string  { return "ContentEvent" }
func (*Identity) record() string      { return "Identity" }
func (*MessageEvent) record() string  { return "MessageEvent" }
func (*ActivityEvent) record() string { return "ActivityEvent" }
func (*ReplyCommand) record() string  { return "ReplyCommand" }
func (*ReplyResult) record() string   { return "ReplyResult" }

// New returns an empty value of the topic (its name without the prefix), or
// false for a topic whose values are not Avro.
func New(topic string) (Value, bool) {
	switch topic {
	case "inbox":
		return &Arrival{}, true
	case "contents":
		return &ContentEvent{}, true
	case "identities":
		return &Identity{}, true
	case "messages":
		return &MessageEvent{}, true
	case "activity":
		return &ActivityEvent{}, true
	case "replies":
		return &ReplyCommand{}, true
	case "replies.results":
		return &ReplyResult{}, true
	}
	return nil, false
}
