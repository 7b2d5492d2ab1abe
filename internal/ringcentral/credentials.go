package ringcentral

import "context"

// credentials are what calls are authorized with. Safe for concurrent use.
type credentials interface {
	// authorize returns what the next call is to show. It may wait for a renewal, until ctx ends or its calls would be too late;
	// its error is an *Error of op whose outcome is NotSent.
	// Each one given has to be handed back.
	authorize(ctx context.Context, op string) (credential, error)
	// handBack takes note that the call which authorize let go is over, or did not go.
	handBack()
	// refused takes note that the API said 401 to used, and reports whether another one can be had.
	refused(used credential) bool
	// secrets lists what no error may repeat.
	secrets() []string
}

// credential is the value of an Authorization header.
type credential struct{ header string }

func bearer(token string) credential { return credential{header: "Bearer " + token} }

// fixedCredential is one that nobody can renew.
type fixedCredential struct {
	credential
	hidden []string
}

// fixedToken is an API token that is valid until it is revoked.
func fixedToken(token Secret) fixedCredential {
	return fixedCredential{credential: bearer(token.Reveal()), hidden: []string{token.Reveal()}}
}

func (f fixedCredential) authorize(context.Context, string) (credential, error) {
	return f.credential, nil
}

func (fixedCredential) handBack() {}

func (fixedCredential) refused(credential) bool { return false }

func (f fixedCredential) secrets() []string { return f.hidden }
