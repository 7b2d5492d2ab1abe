package webhook

import (
	"cmp"
	"errors"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/internal/body"
	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/schemas"
)

// The ways in which a request, or a part of one, holds no events.
var (
	ErrNotJSON  = errors.New("not the JSON of a webhook request")
	ErrNoEvents = errors.New("no events in the request")
	ErrTooMany  = errors.New("more events than a request can have")
	ErrRepeated = errors.New("a name stands there twice with different values")
)

// maxEvents is more than fit into a body of the default size: an event of the real
// sender has 300 bytes at least. Each costs a record, so a body of nothing but
// brackets would cost a gigabyte.
const maxEvents = 20_000

// contentType is what an event is, whatever the request said it was.
const contentType = "application/json"

// contentPrefix begins the types of the events that belong to a conversation.
const contentPrefix = "content."

// A Body is the bytes of a request, with its Content-Type and Content-Encoding.
type Body = body.Body

// Parts are what a request holds.
type Parts struct {
	Items []ingest.Item    // at least one
	Rest  []ingest.Refusal // what stood among them and is no event, in UTF-8
	fault error            // why the first of them is none
	hints []string         // the extensions whose message store changed
}

// Split returns the events of a request's body, one item each with the bytes as received. It takes
// the documented form, an object with a list of events, also several of them one behind the other,
// an array of them, and events without an object around them. An event that makes no sense is an
// item too: the others must not suffer, and what is to become of it is not decided here.
//
// Where names repeat, nothing is dropped: all lists of events are taken, and of an event whose type,
// resource or id stands there twice, nobody knows which one is meant, so it is in Rest.
//
// limit bounds what a compressed body becomes, in bytes. An error means that there are no events at
// all. It is one of those above, or of package body's; [TooLarge] reports the one that is about the
// limit.
func Split(b Body, limit int64) (Parts, error) { return split(b, limit, (*Parts).engage) }

// TooLarge reports whether an error of Split means that the body is larger than the limit once it is
// decompressed.
func TooLarge(err error) bool { return errors.Is(err, body.ErrTooLarge) }

// split reads each document of a body.
func split(b Body, limit int64, read func(p *Parts, document []byte) error) (Parts, error) {
	texts, err := b.Texts(limit)
	if err != nil {
		return Parts{}, err
	}
	var p Parts
	for _, text := range texts {
		for document, valid := range documents(text) {
			err := ErrNotJSON
			if valid {
				err = read(&p, document)
			} else if p.empty() {
				return Parts{}, err
			}
			if err != nil && !errors.Is(err, ErrTooMany) {
				err = p.refuse(document, err)
			}
			if err != nil {
				return Parts{}, err
			}
		}
	}
	if len(p.Items) == 0 {
		return Parts{}, cmp.Or(p.fault, ErrNotJSON)
	}
	return p, nil
}

func (p *Parts) empty() bool { return len(p.Items) == 0 && len(p.Rest) == 0 }

// add adds an event; an error means that there are too many.
func (p *Parts) add(item ingest.Item) error {
	p.Items = append(p.Items, item)
	return p.bounded()
}

// refuse adds what is no event, as add does.
func (p *Parts) refuse(data []byte, why error) error {
	p.fault = cmp.Or(p.fault, why)
	p.Rest = append(p.Rest, ingest.Refusal{Body: data, Message: why.Error()})
	return p.bounded()
}

func (p *Parts) bounded() error {
	if len(p.Items)+len(p.Rest) > maxEvents {
		return ErrTooMany
	}
	return nil
}

// each reads the elements of an array as documents of their own. An array in which none is one is no
// document either.
func (p *Parts) each(array []byte, read func(p *Parts, document []byte) error) error {
	var found Parts
	for element := range lenient.Elements(array) {
		err := read(&found, element)
		if err != nil && !errors.Is(err, ErrTooMany) {
			err = found.refuse(element, err)
		}
		if err != nil {
			return err
		}
	}
	if len(found.Items) == 0 {
		return cmp.Or(found.fault, ErrNoEvents)
	}
	p.fault = cmp.Or(p.fault, found.fault)
	p.Items, p.Rest, p.hints = append(p.Items, found.Items...), append(p.Rest, found.Rest...), append(p.hints, found.hints...)
	return p.bounded()
}

// engage reads a document of Engage Digital.
func (p *Parts) engage(document []byte) error {
	if isArray(document) {
		return p.each(document, (*Parts).request)
	}
	return p.request(document)
}

// request reads an object with lists of events, or an event that stands alone.
func (p *Parts) request(object []byte) error {
	before := len(p.Items) + len(p.Rest)
	var odd [][]byte
	for name, value := range lenient.Members(object) {
		switch {
		case !lenient.Same(name, "events"):
		case isArray(value):
			for event := range lenient.Elements(value) {
				if err := p.event(event); err != nil {
					return err
				}
			}
		case string(value) != "null":
			odd = append(odd, value)
		}
	}
	if len(p.Items)+len(p.Rest) > before {
		for _, value := range odd {
			if err := p.refuse(value, ErrNoEvents); err != nil {
				return err
			}
		}
		return nil
	}
	values, _ := lenient.Pick(object, "type", "resource")
	if values[0] == nil || values[1] == nil {
		return ErrNoEvents
	}
	return p.event(object)
}

// event reads of an event what the inbox needs to know: type, resource and key.
func (p *Parts) event(event []byte) error {
	top, repeated := lenient.Pick(event, "type", "resource")
	resource, twice := lenient.Pick(top[1], "id", "metadata")
	metadata, thrice := lenient.Pick(resource[1], "thread_id")
	if repeated || twice || thrice {
		return p.refuse(event, ErrRepeated)
	}
	arrival := schemas.Arrival{
		Origin:      schemas.OriginWebhook,
		API:         schemas.ApiEngage,
		Kind:        lenient.TextOf(top[0]),
		ContentType: contentType,
		Body:        event,
	}
	id, thread := lenient.TextOf(resource[0]), lenient.TextOf(metadata[0])
	if id != "" {
		arrival.ResourceID = &id
	}
	if thread != "" && strings.HasPrefix(arrival.Kind, contentPrefix) {
		return p.add(ingest.Item{Key: thread, Arrival: arrival})
	}
	return p.add(ingest.Item{Key: id, Arrival: arrival})
}

// isArray reports whether valid JSON is an array.
func isArray(data []byte) bool {
	for _, b := range data {
		switch b {
		case ' ', '\t', '\r', '\n':
		default:
			return b == '['
		}
	}
	return false
}
