package letters

import (
	"context"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

// An Action is what a plan is about.
type Action int

// The actions.
const (
	SendBack Action = iota // waiting letters go back to where they came from
	Discard                // open letters are never sent back
)

// takes tells whether the action is for letters in the state.
func (a Action) takes(s State) bool {
	if a == Discard {
		return s == Waiting || s == Aside || s == Succeeded
	}
	return s == Waiting
}

// A Histogram counts letters by reason.
type Histogram map[deadletter.Reason]int

// Total returns how many letters were counted.
func (h Histogram) Total() (n int) {
	for _, count := range h {
		n += count
	}
	return n
}

// A Step is what a plan has for one letter.
type Step struct {
	Letter Letter
	// Do tells whether the action will be taken. Otherwise Letter.State says why
	// not, or Fault where the letter can't be sent back at all.
	Do    bool
	Fault error
}

// A Plan names the letters of an action. It is made by Office.Plan, and may be
// carried out once.
type Plan struct {
	Action  Action
	Choice  Choice
	Letters Histogram     // to be acted upon
	Others  map[State]int // chosen, but not to be acted upon, by state
	Faulty  int           // that can't be sent back

	survey     *survey
	partitions int32    // of the topic that commands go back to
	last       Position // of the last letter to be acted upon
}

// Plan finds what an action would do, changes nothing, and hands each chosen
// letter to each, which may be nil. The choice's limit counts letters that will
// be acted upon.
func (o *Office) Plan(ctx context.Context, action Action, choice Choice, each func(Step) error) (*Plan, error) {
	s, err := o.survey(ctx, choice)
	if err != nil {
		return nil, err
	}
	p := &Plan{Action: action, Choice: choice, Letters: Histogram{}, Others: map[State]int{}, survey: s}
	if p.partitions, err = o.partitions(ctx, o.deps.Topics.Replies); err != nil {
		return nil, err
	}
	err = s.walk(ctx, func(one found) (bool, error) {
		step := p.step(one)
		switch {
		case step.Do:
			p.Letters[one.Info.Reason]++
			p.last = one.Position
		case step.Fault != nil:
			p.Faulty++
		default:
			p.Others[one.State]++
		}
		if each != nil {
			if err := each(step); err != nil {
				return false, err
			}
		}
		return choice.Limit == 0 || p.Letters.Total() < choice.Limit, nil
	})
	return p, err
}

func (p *Plan) step(one found) Step {
	step := Step{Letter: one.Letter, Do: p.Action.takes(one.State)}
	if step.Do && p.Action == SendBack {
		step.Fault = p.survey.office.sendable(one, p.partitions)
		step.Do = step.Fault == nil
	}
	return step
}

// carryOut hands the letters of the plan to do.
func (p *Plan) carryOut(ctx context.Context, do func(found) error) error {
	if p.Letters.Total() == 0 {
		return nil
	}
	return p.survey.walk(ctx, func(one found) (bool, error) {
		if one.Position.compare(p.last) > 0 {
			return false, nil
		}
		if !p.step(one).Do {
			return true, nil
		}
		return one.Position != p.last, do(one)
	})
}
