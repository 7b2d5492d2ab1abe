package letters

import (
	"context"
	"errors"

	"github.com/ringbridge/ringbridge/schemas"
)

// List hands the chosen letters to each, in the order of the topic, until it
// returns an error. Discarded ones are left out unless all is true.
func (o *Office) List(ctx context.Context, choice Choice, all bool, each func(Letter) error) error {
	s, err := o.survey(ctx, choice)
	if err != nil {
		return err
	}
	listed := 0
	return s.walk(ctx, func(one found) (bool, error) {
		if one.State == Discarded && !all {
			return true, nil
		}
		listed++
		return listed != choice.Limit, each(one.Letter)
	})
}

// Show hands the letters that the choice names one by one to each, whole,
// discarded ones too. Where it names a command, there is one for each round.
func (o *Office) Show(ctx context.Context, choice Choice, each func(Whole) error) error {
	if len(choice.Which) == 0 {
		return errors.New("letters: show: want positions, or ids of commands")
	}
	results := map[string][]schemas.ReplyResult{}
	s := &survey{office: o, choice: choice, only: choice.positions(), succeeded: map[commandHash]bool{}}
	err := s.make(ctx, func(r schemas.ReplyResult) { results[r.CommandID] = append(results[r.CommandID], r) })
	if err != nil {
		return err
	}
	return s.walk(ctx, func(one found) (bool, error) {
		return true, each(Whole{Letter: one.Letter, Record: one.record, Command: one.command, Results: results[one.CommandID]})
	})
}
