package subscribe

import (
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// retryRefused is how long a filter that the platform refuses is left out: a permission
// that is granted takes effect within a day, or with a restart.
const retryRefused = 24 * time.Hour

// A selection decides which filters to ask for. The platform refuses a list for one
// filter in it. Where the refusal names it, it is left out. Where it does not, a search
// begins: the groups are tried one after the other, each with all that was taken so far,
// and a group that is refused is taken apart.
type selection struct {
	groups  [][]string
	refused []string
	again   time.Time // when refused filters, or all of them, are tried once more

	searching bool
	proven    []string   // taken together
	open      [][]string // groups that were not tried yet
	known     []string   // signatures of lists that were refused in this search
	hopeless  bool       // none is taken by itself: the filters are not what is wrong
}

// wanted returns what to ask for now.
func (s *selection) wanted() []string {
	if s.searching {
		return slices.Concat(s.proven, s.open[0])
	}
	all := slices.Concat(s.groups...)
	return slices.DeleteFunc(all, func(f string) bool { return slices.Contains(s.refused, f) })
}

// refresh brings back what was refused when its time has come.
func (s *selection) refresh(now time.Time) {
	if !s.searching && !s.again.IsZero() && !now.Before(s.again) {
		s.refused, s.again, s.hopeless = nil, time.Time{}, false
	}
}

// took notes that the platform takes what was wanted.
func (s *selection) took(now time.Time) {
	if s.searching {
		s.proven, s.open = s.wanted(), s.open[1:]
		s.settle(now)
	}
}

// rejected notes that the platform refuses what was wanted. It returns false if no other
// choice of filters is left to be tried.
func (s *selection) rejected(refusal *ringcentral.FilterError, now time.Time) bool {
	if s.hopeless {
		return false
	}
	sent := s.wanted()
	switch named := namedFilters(sent, refusal); {
	case len(named) > 0:
		s.leaveOut(named, now)
	case s.searching:
		s.known = append(s.known, signature(sent))
		s.takeApart(now)
	case len(sent) == 1:
		s.leaveOut(sent, now)
	default:
		s.searching, s.proven, s.known = true, nil, []string{signature(sent)}
		s.open = without(s.groups, s.refused)
	}
	s.settle(now)
	if !s.searching && len(s.wanted()) == 0 {
		s.refused, s.hopeless = nil, true
	}
	return !s.hopeless
}

// takeApart goes on behind a group that was refused: with each of its filters.
func (s *selection) takeApart(now time.Time) {
	group := s.open[0]
	s.open = s.open[1:]
	if len(group) == 1 {
		s.leaveOut(group, now)
		return
	}
	var single [][]string
	for _, f := range group {
		single = append(single, []string{f})
	}
	s.open = append(single, s.open...)
}

func (s *selection) leaveOut(filters []string, now time.Time) {
	s.refused = append(s.refused, filters...)
	s.again = now.Add(retryRefused)
	s.open = without(s.open, filters)
	s.proven = slices.DeleteFunc(s.proven, func(f string) bool { return slices.Contains(filters, f) })
}

// settle ends the search when nothing is open. What was refused already is not asked for
// again: a list that is left over when all others were taken must hold the culprit.
func (s *selection) settle(now time.Time) {
	for s.searching && len(s.open) > 0 && slices.Contains(s.known, signature(s.wanted())) {
		s.takeApart(now)
	}
	s.searching = s.searching && len(s.open) > 0
}

// without returns groups without some filters.
func without(groups [][]string, filters []string) [][]string {
	var left [][]string
	for _, group := range groups {
		group = slices.DeleteFunc(slices.Clone(group), func(f string) bool { return slices.Contains(filters, f) })
		if len(group) > 0 {
			left = append(left, group)
		}
	}
	return left
}
