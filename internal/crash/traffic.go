package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// The traffic of a round: some two and a half seconds, if nothing holds it up. These are Engage Digital's lanes; see texts.go and
// socials.go for the platform's.
const (
	webhookLanes   = 5 // conversations told by webhook
	webhooksEach   = 8 // requests a lane
	polledLanes    = 2 // conversations left for the poller
	polledEach     = 4
	commandLanes   = 4 // conversations that are answered
	commandsEach   = 6
	longestPause   = 600 * time.Millisecond // between two of a lane
	twinEvery      = 4                      // one command in so many has the text of the one before
	repeatEvery    = 8                      // one request or command in so many is sent once more
	webhookPatient = 3 * time.Second        // of a sender, for one request
	trafficBound   = 2 * time.Minute        // a webhook or command that nobody takes for so long is an error
)

// traffic sends one round's, both ways, and returns when all of it is acknowledged.
func (b *bed) traffic(ctx context.Context, round int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, trafficBound, fmt.Errorf("crash: traffic was not taken within %s", trafficBound))
	defer cancel()
	lanes, ctx := errgroup.WithContext(ctx)
	start := func(kind uint64, n int, send func(context.Context, lane) error) {
		for i := range n {
			l := lane{round: round, n: i, random: rand.New(rand.NewPCG(b.cfg.Seed, uint64(round)<<16|kind<<8|uint64(i)))} //nolint:gosec // repeatable
			lanes.Go(func() error { return send(ctx, l) })
		}
	}
	start(1, webhookLanes, b.webhooks)
	start(2, polledLanes, b.polled)
	start(3, commandLanes, b.commands)
	start(4, notifiedLanes, b.notified)
	start(5, syncedLanes, b.synced)
	start(6, hintedLanes, b.hinted)
	start(7, textedLanes, b.texted)
	start(8, storedLanes, b.stored)
	start(9, socialLanes, b.socials)
	start(10, editedLanes, b.edited)
	start(11, answeredLanes, b.answered)
	start(12, toldLanes, b.told)
	return lanes.Wait()
}

// A lane is one conversation in one round; it sends one after another.
type lane struct {
	round, n int
	random   *rand.Rand
}

func (l lane) pause(ctx context.Context) error {
	return wait(ctx, time.Duration(l.random.Int64N(int64(longestPause))))
}

func (l lane) one(in int) bool { return l.random.IntN(in) == 0 }

// times is how often something is sent: who sends may do so once more after it was acknowledged.
func (l lane) times() int {
	if l.one(repeatEvery) {
		return 2
	}
	return 1
}

// webhooks tells of contents that the API does not list, so that no poll hides the loss of one.
func (b *bed) webhooks(ctx context.Context, l lane) error {
	s := &sender{bed: b, turn: l.n, path: engagePath, header: "X-Dimelo-Secret", secret: secret}
	number := l.round * 1000
	for range webhooksEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		var events []sandbox.Event
		var ids []string
		for range 1 + l.random.IntN(3) {
			number++
			e := imported(fmt.Sprintf("webhooks-%d", l.n), fmt.Sprintf("aa%06x%08x%08x", l.n, l.round, number))
			events, ids = append(events, e), append(ids, e.Resource.ID)
			b.book.Tell(e.Resource.ID, fmt.Sprintf("webhooks-%d", l.n), number, true, false)
		}
		body, err := json.Marshal(map[string]any{"id": ids[0], "domain_id": "crash", "events": events})
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		for range l.times() {
			if err := s.post(ctx, body, ids...); err != nil {
				return err
			}
		}
	}
	return nil
}

// imported is the event of a customer's message, as the account tells it.
func imported(thread, id string) sandbox.Event {
	metadata := fmt.Sprintf(`{"body":"message %s","body_input_format":"text","status":"new","thread_id":%q,"source_id":"crash","created_from":"synchronizer","private":true,"has_attachment":false,"category_ids":[]}`,
		id, thread)
	return sandbox.Event{
		Type: sandbox.EventImported, ID: "e" + id, IssuedAt: time.Now().UTC().Format(time.RFC3339Nano),
		Resource: sandbox.Resource{Type: "whats_app/message", ID: id, Metadata: json.RawMessage(metadata)},
	}
}

// polled puts contents into the account, of which no webhook tells.
func (b *bed) polled(ctx context.Context, l lane) error {
	silent := false
	for n := range polledEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		thread := fmt.Sprintf("polled-%d", l.n)
		made, err := b.box.Import(sandbox.Import{ThreadID: thread, Webhook: &silent})
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		b.book.Tell(made[0].ID, thread, l.round*1000+n, false, true)
	}
	return nil
}

// commands answers a customer of Engage Digital.
func (b *bed) commands(ctx context.Context, l lane) error {
	silent := false
	thread := fmt.Sprintf("answered-%d", l.n)
	parent, err := b.box.Import(sandbox.Import{ThreadID: thread, Webhook: &silent})
	if err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	b.book.Tell(parent[0].ID, thread, l.round, false, true)
	return b.answers(ctx, l, "engage", thread, func(body string) any {
		return &schemas.CreateContent{API: schemas.ContentApiEngage, BodyFormat: schemas.BodyFormatText, InReplyToID: &parent[0].ID, Body: body}
	})
}

// answers answers a customer, each command after the one before. Some have the text of the one before, some are produced
// twice.
func (b *bed) answers(ctx context.Context, l lane, kind, conversation string, action func(body string) any) error {
	body := ""
	for n := range commandsEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		id := fmt.Sprintf("%s-%d-%d-%d", kind, l.round, l.n, n)
		if body == "" || !l.one(twinEvery) {
			body = "answer " + id
		}
		b.book.Send(id, conversation, body)
		if err := b.command(ctx, l, conversation, id, action(body)); err != nil {
			return err
		}
	}
	return nil
}

// command produces a command, and now and then a second time.
func (b *bed) command(ctx context.Context, l lane, conversation, id string, action any) error {
	value, err := b.codec.Encode(&schemas.ReplyCommand{CommandID: id, IssuedAt: time.Now(), Action: action})
	if err != nil {
		return fmt.Errorf("crash: %w", err)
	}
	for range l.times() {
		if err := b.produce(ctx, conversation, value); err != nil {
			return err
		}
	}
	return nil
}

// produce puts a command on the topic, as a producer does that tries again until it is acknowledged.
func (b *bed) produce(ctx context.Context, thread string, value []byte) error {
	for {
		err := b.client.ProduceSync(ctx, &kgo.Record{Topic: b.names.Replies, Key: []byte(thread), Value: value}).FirstErr()
		if err == nil {
			return nil
		}
		if waitErr := wait(ctx, tick); waitErr != nil {
			return fmt.Errorf("crash: produce a command: %w", errors.Join(waitErr, err))
		}
	}
}
