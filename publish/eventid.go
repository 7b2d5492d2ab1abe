package publish

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/ringbridge/ringbridge/schemas"
)

// namespace is the UUID namespace of event ids. It must never change: with
// another one, what was published before would come again under new ids.
func namespace() uuid.UUID {
	return uuid.UUID{0x6b, 0x1d, 0x9e, 0x52, 0x3f, 0x0a, 0x4c, 0x6e, 0x9b, 0x7d, 0x2a, 0xe4, 0x58, 0xc1, 0x07, 0x93}
}

// eventID returns the id of an event: the same from whichever way and however
// often it came in. occurrence tells apart events that can happen more than once
// to a resource; it is empty for those that happen once.
func eventID(account string, api schemas.Api, resource, eventType, occurrence string) string {
	var name []byte
	for _, part := range []string{account, string(api), resource, eventType, occurrence} {
		// The length before each part: "a" and "bc" are not "ab" and "c".
		name = binary.BigEndian.AppendUint32(name, uint32(len(part)))
		name = append(name, part...)
	}
	return uuid.NewSHA1(namespace(), name).String()
}
