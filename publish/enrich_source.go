package publish

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// A source is an API with what is known of its health: one that is dead does not
// keep contents of the other from being completed.
type source struct {
	api     API
	breaker breaker
}

// sourcesOf returns the APIs that are there.
func sourcesOf(apis map[schemas.Api]API) map[schemas.Api]*source {
	sources := map[schemas.Api]*source{}
	for name, api := range apis {
		if api != nil {
			sources[name] = &source{api: api}
		}
	}
	return sources
}

// run makes the calls, but to an API that rests, and weighs how they ended.
func (e *enricher) run(ctx context.Context, calls []*call) {
	bySource := map[*source][]*call{}
	for _, c := range calls {
		s := e.sources[c.unit.arrival.API]
		if s.breaker.open() {
			e.metrics.enriched(c.what, outcomeSkipped)
			continue
		}
		bySource[s] = append(bySource[s], c)
	}
	var sources errgroup.Group
	for s, calls := range bySource {
		sources.Go(func() error {
			var group errgroup.Group
			group.SetLimit(enrichCalls)
			for _, c := range calls {
				group.Go(func() error {
					c.err = e.make(ctx, s.api, c)
					return nil
				})
			}
			return group.Wait() // the errors are in the calls
		})
	}
	_ = sources.Wait()
	for s, calls := range bySource {
		e.judge(s, calls)
	}
}

// judge weighs how calls to an API ended.
func (e *enricher) judge(s *source, calls []*call) {
	answered, late := false, false
	for _, c := range calls {
		outcome := outcomeOf(c.err)
		e.metrics.enriched(c.what, outcome)
		late = late || outcome == outcomeLate
		switch outcome {
		case outcomeFetched, outcomeAbsent:
			answered = true
			s.breaker.success()
		case outcomeNoBudget:
			continue // costs no time, and says nothing of the API or the author
		default:
			s.breaker.failure()
			e.log.Debug("enrichment failed", "what", c.what, "content_id", c.unit.content().subject, "outcome", outcome, "error", c.err)
		}
		if c.what == enrichAuthor {
			e.authors.put(c.author, outcome)
		}
	}
	if late && !answered {
		s.breaker.trip() // it answered nothing for a whole bound
	}
}

func outcomeOf(err error) string {
	var answered *ringcentral.Error
	var unreadable *ParseError
	switch {
	case err == nil:
		return outcomeFetched
	case errors.As(err, &answered) && answered.Status == http.StatusNotFound:
		return outcomeAbsent
	case errors.Is(err, ringcentral.ErrNoBudget):
		return outcomeNoBudget
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return outcomeLate
	case errors.As(err, &unreadable):
		return outcomeUnreadable
	}
	return outcomeFailed
}
