package letters

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/schemas"
)

// survey is what must be known before letters can be told apart: what was done
// with them, and which of their commands have succeeded meanwhile.
type survey struct {
	office    *Office
	choice    Choice
	redriven  *memory
	discarded *memory
	only      []Position           // where the chosen letters are; nil = anywhere
	ends      map[int32]int64      // offset after the last letter there was, by partition
	succeeded map[commandHash]bool // commands of the choice
}

// commandHash stands for a command's id, which may be long.
type commandHash [16]byte

func hash(commandID string) commandHash {
	sum := sha256.Sum256([]byte(commandID))
	return commandHash(sum[:16])
}

// survey reads the memory and the letters once, and then, if a letter is open,
// the results of the commands.
func (o *Office) survey(ctx context.Context, choice Choice) (*survey, error) {
	s := &survey{office: o, choice: choice, succeeded: map[commandHash]bool{}}
	return s, s.make(ctx, nil)
}

// make makes the survey. keep is handed the results of every chosen letter's
// command; it may be nil.
func (s *survey) make(ctx context.Context, keep func(schemas.ReplyResult)) error {
	o := s.office
	topic := o.topic(s.choice.Source)
	var err error
	if s.redriven, err = loadMemory(ctx, o.deps.Admin, o.deps.Topics.Group(redriveGroup), topic); err != nil {
		return err
	}
	if s.discarded, err = loadMemory(ctx, o.deps.Admin, o.deps.Topics.Group(discardGroup), topic); err != nil {
		return err
	}
	ends := map[int32]int64{}
	asked := newAsked()
	// A command that has succeeded must not be sent again: what is acted upon does
	// not rest on where, and since when, its result should be.
	asked.everywhere = keep == nil
	err = s.walk(ctx, func(one found) (bool, error) {
		ends[one.Position.Partition] = one.Position.Offset + 1
		if one.CommandID != "" && (one.State == Waiting || one.State == Aside || keep != nil) {
			asked.add(one, o.deps.Topics.Replies)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	s.ends = ends
	return o.results(ctx, asked, func(result schemas.ReplyResult) {
		if result.State == schemas.ReplyStateSucceeded {
			s.succeeded[hash(result.CommandID)] = true
		}
		if keep != nil {
			keep(result)
		}
	})
}

// walk hands the chosen letters to do, in the order of the topic, until it
// returns false. Once the survey is made, letters that came after it are left
// out. The choice's limit is not heeded: what counts is the caller's to say.
func (s *survey) walk(ctx context.Context, do func(found) (more bool, err error)) error {
	before := map[int32]int64{}
	return s.read(ctx, func(record *kgo.Record) (bool, error) {
		if s.ends != nil && record.Offset >= s.ends[record.Partition] {
			return true, nil
		}
		one, err := open(ctx, s.office.deps.Codec, s.choice.Source, record)
		if err != nil {
			return false, err
		}
		one.before = -1
		if offset, ok := before[record.Partition]; ok {
			one.before = offset
		}
		before[record.Partition] = record.Offset
		if !s.choice.includes(&one.Letter) {
			return true, nil
		}
		one.State = s.state(one.Letter)
		if s.ends != nil && !s.choice.means(one.State) {
			return true, nil
		}
		return do(one)
	})
}

// read hands the records that may be chosen letters to each. Where only some
// positions are read, the letters before them stay unknown: nothing can be put
// into a memory then.
func (s *survey) read(ctx context.Context, each func(*kgo.Record) (bool, error)) error {
	topic := s.office.topic(s.choice.Source)
	if s.only != nil {
		return s.office.readAt(ctx, topic, s.only, each)
	}
	return s.office.read(ctx, topic, each)
}

// state tells what became of a letter, as far as the survey knows.
func (s *survey) state(l Letter) State {
	return fate{
		discarded: s.discarded.contains(l.Position), redriven: s.redriven.contains(l.Position),
		succeeded: l.CommandID != "" && s.succeeded[hash(l.CommandID)], rounds: l.Info.Redrives,
	}.state(s.choice.maxRounds())
}

// Read takes a record of the topic of the source's letters for one, whose state is
// not looked up. The error is an outage of the registry; bytes that can't be
// decoded are none.
func Read(ctx context.Context, codec *schemas.Codec, source Source, record *kgo.Record) (Letter, error) {
	one, err := open(ctx, codec, source, record)
	return one.Letter, err
}

func open(ctx context.Context, codec *schemas.Codec, source Source, record *kgo.Record) (found, error) {
	info, _ := deadletter.Parse(record.Headers)
	if info.FailedAt.IsZero() {
		info.FailedAt = record.Timestamp.UTC()
	}
	one := found{record: record, Letter: Letter{
		Position: Position{record.Partition, record.Offset}, Info: info, Key: string(record.Key), State: Waiting,
	}}
	if source != Replies || info.Reason == deadletter.Undecodable {
		return one, nil
	}
	var command schemas.ReplyCommand
	err := codec.Decode(ctx, record.Value, &command)
	if err == nil {
		one.command, one.CommandID = &command, command.CommandID
	}
	return one, unlessUndecodable(err)
}

// read is Deps.Read for a function that can fail.
func (o *Office) read(ctx context.Context, topic string, each func(*kgo.Record) (more bool, err error)) error {
	var fault error
	err := o.deps.Read(ctx, topic, func(record *kgo.Record) bool {
		var more bool
		more, fault = each(record)
		return more && fault == nil
	})
	return errors.Join(fault, err)
}

// unlessUndecodable returns the error when it is an outage, and nil when the
// bytes are at fault, as they are in many letters.
func unlessUndecodable(err error) error {
	if _, ok := errors.AsType[*schemas.UndecodableError](err); ok {
		return nil
	}
	return err
}
