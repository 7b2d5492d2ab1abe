package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"iter"
)

const (
	markerBytes = 8
	frameHead   = markerBytes + 4 + 4 // marker, length, checksum

	// maxPayload is more than an item can have: the inbox takes records of 16 MiB.
	// A larger length is a damaged one.
	maxPayload = 17 << 20
)

// A marker begins every record of a segment.
type marker [markerBytes]byte

// A piece is a part of a segment: a record, or bytes that are none.
type piece struct {
	offset  int
	size    int    // in the segment, head included
	payload []byte // of a record; nil = damage. It points into what was read.
}

// appendFrame appends the payload as a record.
func appendFrame(to []byte, m marker, payload []byte) []byte {
	to = append(to, m[:]...)
	start := len(to)
	to = binary.BigEndian.AppendUint32(to, uint32(len(payload)))
	to = binary.BigEndian.AppendUint32(to, checksum(to[start:], payload))
	return append(to, payload...)
}

// frameAt returns the payload of the record that data begins with, or nil when it
// begins with none.
func frameAt(data []byte, m marker) []byte {
	if len(data) < frameHead || !bytes.HasPrefix(data, m[:]) {
		return nil
	}
	length := binary.BigEndian.Uint32(data[markerBytes:])
	if length == 0 || length > maxPayload || int(length) > len(data)-frameHead {
		return nil
	}
	payload := data[frameHead : frameHead+int(length)]
	sum := binary.BigEndian.Uint32(data[markerBytes+4:])
	if checksum(data[markerBytes:markerBytes+4], payload) != sum {
		return nil
	}
	return payload
}

// pieces reads a segment from its beginning. Together the pieces are all of it.
func pieces(data []byte, m marker) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for at := 0; at < len(data); {
			p := piece{offset: at, payload: frameAt(data[at:], m)}
			if p.payload != nil {
				p.size = frameHead + len(p.payload)
			} else {
				p.size = nextFrame(data[at:], m)
			}
			if !yield(p) {
				return
			}
			at += p.size
		}
	}
}

// nextFrame returns where the first record is behind damaged bytes; at the end,
// when there is none.
func nextFrame(data []byte, m marker) int {
	for at := 1; ; at++ {
		found := bytes.Index(data[at:], m[:])
		if found < 0 {
			return len(data)
		}
		if at += found; frameAt(data[at:], m) != nil {
			return at
		}
	}
}

// checksum covers the length too, so that a run of zeros is no record.
func checksum(length, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(length, table), table, payload)
}
