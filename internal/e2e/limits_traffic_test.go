//go:build real

package e2e_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

const (
	// repliesEvery is how often a reply is sent, to each of three APIs in turn: 33 a
	// minute each, well within the part of any limit that a backfill leaves.
	repliesEvery = 600 * time.Millisecond
	askers       = 12 // conversations of each API
)

// traffic comes in and is answered until it is stopped.
type traffic struct {
	w       limitedWorld
	engage  []sandbox.Content
	social  []sandbox.SocialContent
	stopped chan struct{}
	running sync.WaitGroup
	sent    []time.Time // when each reply was
}

func newTraffic(w limitedWorld) *traffic {
	quiet := false
	tr := &traffic{w: w, stopped: make(chan struct{})}
	var err error
	tr.engage, err = w.box.Import(sandbox.Import{Count: askers, Author: "Ann", Webhook: &quiet})
	require.NoError(w.t, err)
	tr.social, err = w.box.Platform().ImportContents(sandbox.SocialImport{Count: askers, Author: "Ann"})
	require.NoError(w.t, err)
	tr.running.Go(tr.run)
	return tr
}

func (tr *traffic) run() {
	tick := time.NewTicker(repliesEvery)
	defer tick.Stop()
	for {
		select {
		case <-tr.stopped:
			return
		case <-tick.C:
		}
		c := tr.command(len(tr.sent))
		tr.w.send(c)
		tr.sent = append(tr.sent, c.IssuedAt)
		if len(tr.sent)%2 == 0 {
			_, err := tr.w.box.Platform().ImportContents(sandbox.SocialImport{Author: "Ann"})
			require.NoError(tr.w.t, err)
			_, err = tr.w.box.Import(sandbox.Import{Author: "Ann"})
			require.NoError(tr.w.t, err)
		}
	}
}

// command is the n-th reply.
func (tr *traffic) command(n int) *schemas.ReplyCommand {
	id, text, at := fmt.Sprint("reply-", n), fmt.Sprint("answer ", n), n/3%askers
	switch n % 3 {
	case 0:
		return reply(id, tr.engage[at].ThreadID, tr.engage[at].ID, text)
	case 1:
		c := reply(id, tr.social[at].ThreadID, tr.social[at].ID, text)
		c.Action.(*schemas.CreateContent).API = schemas.ContentApiSocial
		return c
	default:
		return textTo(fmt.Sprintf("+1415555%04d", at), id, text)
	}
}

// stop returns when each reply was sent.
func (tr *traffic) stop() []time.Time {
	close(tr.stopped)
	tr.running.Wait()
	return tr.sent
}
