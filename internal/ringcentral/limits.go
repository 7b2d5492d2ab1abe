package ringcentral

import "net/http"

// limits are the budgets of an API. Safe for concurrent use.
type limits interface {
	// of lists the budgets that a call of the route passes, in order. It may grow while the call waits.
	of(route string) []*limiter
	// learn reads what an answer tells about the budgets of its route.
	learn(route string, h http.Header)
	// offended returns the budget that a 429 with these headers is about.
	offended(route string, h http.Header) *limiter
}

// oneLimit is the budget of an API that counts all calls together and tells nothing about it.
type oneLimit struct{ *limiter }

func (l oneLimit) of(string) []*limiter { return []*limiter{l.limiter} }

func (oneLimit) learn(string, http.Header) {}

func (l oneLimit) offended(string, http.Header) *limiter { return l.limiter }
