package ringcentral

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

const (
	// defaultLife is assumed of a token whose answer tells none: the shortest that applications are given.
	defaultLife = time.Minute
	// maxLife bounds what is believed. Tokens live an hour as a rule.
	maxLife = 24 * time.Hour
	// renewPart is the part of its life after which a token is renewed while it still works: a minute's after 48 seconds.
	renewPart = 0.8
	// spentPart is the part after which it is not shown any more: it has to be valid when it arrives.
	spentPart = 0.97
)

var (
	errNoToken  = errors.New("without an access token")
	errBadToken = errors.New("with a token that no header can hold")
)

// token is an access token and its times, counted from before it was asked for.
type token struct {
	value        Secret
	renew, spent time.Time
}

// grant is the answer of the token endpoint.
type grant struct {
	token        token
	refresh      Secret // single use; empty where the application is given none
	refreshUntil time.Time
}

// readGrant decodes the answer to a request that was made at asked. It quotes nothing of it.
func readGrant(g *grant, asked time.Time) func([]byte) error {
	return func(body []byte) error {
		var answer struct {
			AccessToken  string      `json:"access_token"`
			ExpiresIn    json.Number `json:"expires_in"`
			RefreshToken string      `json:"refresh_token"`
			RefreshIn    json.Number `json:"refresh_token_expires_in"`
		}
		if json.Unmarshal(body, &answer) != nil {
			return errNotObject
		}
		switch {
		case answer.AccessToken == "":
			return errNoToken
		case strings.ContainsFunc(answer.AccessToken, notInToken):
			return errBadToken
		}
		life := lifeOf(answer.ExpiresIn)
		*g = grant{token: token{
			value: Secret(answer.AccessToken),
			renew: asked.Add(time.Duration(float64(life) * renewPart)),
			spent: asked.Add(time.Duration(float64(life) * spentPart)),
		}}
		if answer.RefreshToken != "" {
			g.refresh = Secret(answer.RefreshToken)
			g.refreshUntil = asked.Add(time.Duration(float64(lifeOf(answer.RefreshIn)) * spentPart))
		}
		return nil
	}
}

func lifeOf(seconds json.Number) time.Duration {
	n, err := seconds.Float64()
	if err != nil || !(n > 0) {
		return defaultLife
	}
	return time.Duration(min(n, maxLife.Seconds()) * float64(time.Second))
}
