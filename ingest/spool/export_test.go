package spool

import (
	"time"

	"github.com/ringbridge/ringbridge/ingest"
)

// What the tests need of the inside.
type (
	Disk   = disk
	File   = file
	Marker = marker
)

// SegmentBytes is small, so that a test has many segments.
const SegmentBytes = 64 << 10

// OpenOn opens a spool on a disk of the test's own.
func OpenOn(d Disk, limit int64, deps Deps) (*Spool, error) {
	return open(d, bounds{total: limit, segment: SegmentBytes}, deps)
}

// Directory is the disk that Open uses.
func Directory(dir string) Disk { return directory(dir) }

// Piece is what the reader found.
type Piece struct {
	Offset, Size int
	Payload      []byte
}

func Pieces(data []byte, m Marker) (all []Piece) {
	for p := range pieces(data, m) {
		all = append(all, Piece{p.offset, p.size, p.payload})
	}
	return all
}

func AppendFrame(to []byte, m Marker, payload []byte) []byte { return appendFrame(to, m, payload) }

func EncodeItem(item ingest.Item) ([]byte, error) { return entry{item: &item}.encode(time.Time{}) }

func EncodeRefusal(r ingest.Refusal) ([]byte, error) {
	return entry{refusal: &r}.encode(time.Unix(1, 0).UTC())
}

// Decode returns one of both.
func Decode(payload []byte) (*ingest.Item, *ingest.Refusal, error) {
	e, _, err := decode(payload)
	return e.item, e.refusal, err
}

// MarkerOf returns the marker of a segment's name.
func MarkerOf(name string) Marker {
	s, _ := parseName(name)
	return s.marker
}
