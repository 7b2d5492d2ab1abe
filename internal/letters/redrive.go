package letters

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"
)

// A Redrive says how letters are sent back.
type Redrive struct {
	Client  *kgo.Client // made with ProducerOptions; the caller closes it
	Rate    float64     // letters a second; more than 0
	Account string      // goes into what is sent back to the inbox
	By      string      // who does it, for the log
}

// SendBack carries out a plan of that action: one letter after another, in the
// order of their partition, so that a conversation keeps its order. Each letter
// that was sent is handed to each, which may be nil. It returns how many were;
// after an error the same choice goes on with the rest.
func (o *Office) SendBack(ctx context.Context, p *Plan, r Redrive, each func(Letter)) (sent int, err error) {
	if p.Action != SendBack {
		return 0, errors.New("letters: the plan is not one to send letters back")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.keep(ctx); err != nil {
		return 0, err
	}
	run := &redrive{Redrive: r, office: o, survey: p.survey, limit: rate.NewLimiter(rate.Limit(r.Rate), 1)}
	done := Histogram{}
	err = p.carryOut(ctx, func(one found) error {
		ok, err := run.send(ctx, one)
		if !ok {
			return err
		}
		done[one.Info.Reason]++
		if each != nil {
			each(one.Letter)
		}
		return nil
	})
	o.tell("sent back", r.By, p.Choice, done, err)
	return done.Total(), err
}

// redrive is a redrive under way.
type redrive struct {
	Redrive
	office *Office
	survey *survey
	limit  *rate.Limiter
}

// send produces first and remembers then: a crash between the two sends the
// letter twice, which the ledger of commands and the dedupe of events bear,
// while the other order could lose it. It returns false for a letter that
// somebody else has dealt with since the plan was made.
func (r *redrive) send(ctx context.Context, one found) (sent bool, err error) {
	if err := r.limit.Wait(ctx); err != nil {
		return false, err
	}
	if err := r.survey.refresh(ctx); err != nil || !SendBack.takes(r.survey.state(one.Letter)) {
		return false, err
	}
	records, err := r.office.records(one, r.Account)
	if err != nil {
		return false, err
	}
	if err := r.survey.redriven.hasRoom(one); err != nil {
		return false, err
	}
	if err := r.Client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return false, fmt.Errorf("kafka: send back %s: %w", one.Position, err)
	}
	r.survey.redriven.add(one)
	last, cancel := lastWord(ctx)
	defer cancel()
	return true, r.survey.redriven.save(last, one.Position.Partition)
}

// refresh reads what others have done with letters since the survey.
func (s *survey) refresh(ctx context.Context) error {
	if err := s.discarded.reload(ctx); err != nil {
		return err
	}
	return s.redriven.reload(ctx)
}
