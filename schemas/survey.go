package schemas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/hamba/avro/v2"
)

// The sentinels of a survey. They name the fault and hold nothing of the value.
var (
	errCutOff   = errors.New("the value ends too early")
	errLeftOver = errors.New("bytes are left over after the value")
	errVarint   = errors.New("a number is too long")
	errLength   = errors.New("a length is negative or beyond the value")
	errCount    = errors.New("a block counts more items than the value has bytes")
	errBlock    = errors.New("a block is not of the size that it names")
	errBranch   = errors.New("there is no such union branch or symbol")
	errBoolean  = errors.New("a boolean is neither 0 nor 1")
)

// maxIntBytes is how long Avro's 32-bit number can be.
const maxIntBytes = 5

// survey walks the value by its writer's schema, without taking memory, and
// returns why it is not exactly one value of that schema, or nil.
//
// The Avro library believes what a value says of itself: it takes memory for
// as many items as a block counts, loops so often even past the end of the
// value, adds counts up until they overflow and then writes outside of its
// slices, which no recover catches, and reads a value cut off between two
// fields as if the rest were empty. So it sees surveyed values only.
func survey(schema avro.Schema, data []byte) error {
	s := surveyor{rest: data, items: len(data)}
	if err := s.value(schema); err != nil {
		return err
	}
	if len(s.rest) > 0 {
		return errLeftOver
	}
	return nil
}

// A surveyor is the part of a value still to be walked. It recurses as deep as
// the schema, which weighSchema bounds.
type surveyor struct {
	rest []byte
	// items is how many more items of arrays and maps there may be. An item
	// takes a byte or more, so honest values never use it up; items of no
	// bytes, such as nulls, are held to the same number.
	items int
}

func (s *surveyor) value(schema avro.Schema) error {
	switch t := schema.(type) {
	case *avro.RefSchema:
		return s.value(t.Schema())
	case *avro.NullSchema:
		return nil
	case *avro.PrimitiveSchema:
		return s.primitive(t.Type())
	case *avro.RecordSchema:
		return s.record(t)
	case *avro.UnionSchema:
		branch, err := s.choice(len(t.Types()))
		if err != nil {
			return err
		}
		return s.value(t.Types()[branch])
	case *avro.EnumSchema:
		_, err := s.choice(len(t.Symbols()))
		return err
	case *avro.ArraySchema:
		return s.blocks(func() error { return s.value(t.Items()) })
	case *avro.MapSchema:
		return s.blocks(func() error {
			if err := s.bytes(); err != nil {
				return err
			}
			return s.value(t.Values())
		})
	case *avro.FixedSchema:
		return s.skip(int64(t.Size()))
	}
	return fmt.Errorf("a type %s is unknown", schema.Type())
}

func (s *surveyor) record(t *avro.RecordSchema) error {
	for _, field := range t.Fields() {
		if err := s.value(field.Type()); err != nil {
			return fmt.Errorf("%s: %w", field.Name(), err)
		}
	}
	return nil
}

func (s *surveyor) primitive(typ avro.Type) error {
	switch typ {
	case avro.Boolean:
		if len(s.rest) > 0 && s.rest[0] > 1 {
			return errBoolean
		}
		return s.skip(1)
	case avro.Int:
		_, err := s.int()
		return err
	case avro.Long:
		_, err := s.long()
		return err
	case avro.Float:
		return s.skip(4)
	case avro.Double:
		return s.skip(8)
	case avro.Bytes, avro.String:
		return s.bytes()
	default:
		return fmt.Errorf("a type %s is unknown", typ)
	}
}

// blocks walks the blocks of an array or a map. A negative count is followed by
// the block's size in bytes; readers may skip by it, so it must be true.
func (s *surveyor) blocks(item func() error) error {
	for {
		count, err := s.long()
		if err != nil || count == 0 {
			return err
		}
		size := int64(-1)
		if count < 0 {
			count = -count
			if size, err = s.long(); err != nil {
				return err
			}
			if size < 0 {
				return errBlock
			}
		}
		// The least number stays negative when it is negated.
		if count < 0 || count > int64(s.items) {
			return errCount
		}
		s.items -= int(count)
		before := len(s.rest)
		for range count {
			if err := item(); err != nil {
				return err
			}
		}
		if size >= 0 && int64(before-len(s.rest)) != size {
			return errBlock
		}
	}
}

// choice reads the number of a union branch or symbol out of n.
func (s *surveyor) choice(n int) (int, error) {
	index, err := s.int()
	if err != nil {
		return 0, err
	}
	if index < 0 || index >= int64(n) {
		return 0, errBranch
	}
	return int(index), nil
}

func (s *surveyor) bytes() error {
	length, err := s.long()
	if err != nil {
		return err
	}
	return s.skip(length)
}

func (s *surveyor) skip(n int64) error {
	if n < 0 || n > math.MaxInt32 {
		return errLength
	}
	if n > int64(len(s.rest)) {
		return errCutOff
	}
	s.rest = s.rest[n:]
	return nil
}

// int reads a number of at most 32 bits. The library stops after five bytes,
// also where the fifth is not the last.
func (s *surveyor) int() (int64, error) {
	before := len(s.rest)
	v, err := s.long()
	if err == nil && (v < math.MinInt32 || v > math.MaxInt32 || before-len(s.rest) > maxIntBytes) {
		return 0, errVarint
	}
	return v, err
}

func (s *surveyor) long() (int64, error) {
	v, n := binary.Varint(s.rest)
	switch {
	case n == 0:
		return 0, errCutOff
	case n < 0:
		return 0, errVarint
	}
	s.rest = s.rest[n:]
	return v, nil
}
