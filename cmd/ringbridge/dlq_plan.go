package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/letters"
)

// dlqPlan makes a plan, and prints which of the chosen letters it leaves out,
// and why.
func (p *program) dlqPlan(ctx context.Context, office *letterOffice, action letters.Action, choice letters.Choice) (*letters.Plan, error) {
	plan, err := office.Plan(ctx, action, choice, func(step letters.Step) error {
		l := step.Letter
		switch {
		case step.Do:
		case step.Fault != nil:
			p.printf("skipped   %s: %v\n", l.Position, step.Fault)
		case l.State == letters.Aside:
			p.printf("set aside %s: sent back %d times, and came again: %s %s\n", l.Position, l.Info.Redrives, orDash(l.CommandID), orDash(l.Info.Message))
		case l.State == letters.Succeeded:
			p.printf("refused   %s: command %s has succeeded meanwhile\n", l.Position, orDash(l.CommandID))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := plan.Others[letters.Redriven]; n > 0 {
		p.printf("skipped   %d that were sent back before\n", n)
	}
	if n := plan.Others[letters.Discarded]; n > 0 {
		p.printf("skipped   %d that were discarded before\n", n)
	}
	return plan, nil
}

// histogram tells counts by reason, as in "3 letters: 2 forbidden, 1 expired".
func histogram(counts letters.Histogram) string {
	var parts []string
	for _, reason := range slices.Concat(deadletter.Reasons(), []deadletter.Reason{""}) {
		if n := counts[reason]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, orDash(string(reason))))
		}
	}
	noun := "letters"
	total := counts.Total()
	if total == 1 {
		noun = "letter"
	}
	if total == 0 {
		return "0 letters"
	}
	return fmt.Sprintf("%d %s: %s", total, noun, strings.Join(parts, ", "))
}
