package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/internal/sleep"
	"github.com/ringbridge/ringbridge/schemas"
)

// issued is a command that the demo put on the topic.
type issued struct {
	id   string
	text string // the reply's, which no other command has
}

// A scene is a little piece of a contact centre's day.
type scene func(context.Context, *demo) error

// scenes are all there are, in the order they are played.
func scenes(crowd int) []scene {
	return []scene{
		answered, lostWebhook, flakyAPI, answered, lateImport, rateLimited, edited, lostAnswer, closedThread, answered, commandTwice, together(crowd),
	}
}

// How the scenes are played: live for a person to follow, once as fast as it
// can be read afterwards.
const (
	livePace, liveCrowd = 1500 * time.Millisecond, 6
	oncePace, onceCrowd = 50 * time.Millisecond, 30
)

// play plays the scenes again and again until ctx ends.
func (d *demo) play(ctx context.Context) error {
	d.pace = livePace
	for {
		if err := d.playAll(ctx, scenes(liveCrowd)); err != nil {
			return err
		}
	}
}

func (d *demo) playAll(ctx context.Context, scenes []scene) error {
	for _, scene := range scenes {
		if err := scene(ctx, d); err != nil {
			return err
		}
		if err := sleep.For(ctx, d.pace); err != nil {
			return err
		}
	}
	return nil
}

// answered: a customer writes, and the team answers.
func answered(ctx context.Context, d *demo) error {
	content, err := d.customer("Ann", "Where is my order?", sandbox.Import{})
	if err != nil {
		return err
	}
	return d.answer(ctx, content, "On its way")
}

// lostWebhook: the webhook of a message never comes; polling finds it.
func lostWebhook(_ context.Context, d *demo) error {
	d.say.line("sandbox", "the next message's webhook gets lost")
	no := false
	_, err := d.customer("Bob", "Are you open on Sunday?", sandbox.Import{Webhook: &no})
	return err
}

// lateImport: a message comes into Engage Digital three days late, with its old
// date, where no poller of new rows looks.
func lateImport(_ context.Context, d *demo) error {
	d.say.line("sandbox", "the next message is imported three days late, without a webhook")
	no := false
	_, err := d.customer("Cleo", "Do you deliver to Lyon?", sandbox.Import{Webhook: &no, CreatedAt: time.Now().AddDate(0, 0, -3)})
	return err
}

// flakyAPI: the API fails twice, and the command is tried again.
func flakyAPI(ctx context.Context, d *demo) error {
	return d.spoiled(ctx, "Dan", "My parcel is damaged", "We send a new one", sandbox.Fault{Statuses: []int{503, 503}})
}

// rateLimited: the API asks to wait.
func rateLimited(ctx context.Context, d *demo) error {
	return d.spoiled(ctx, "Eve", "Can I pay later?", "Yes, within 30 days", sandbox.Fault{Statuses: []int{429}, RetryAfter: "1"})
}

// lostAnswer: the reply is made, but the connection is cut before the answer.
// The bridge finds the reply instead of making a second one.
func lostAnswer(ctx context.Context, d *demo) error {
	return d.spoiled(ctx, "Finn", "Is it back in stock?", "It is", sandbox.Fault{Reset: "after", Times: 1})
}

// closedThread: a reply that the API refuses for good becomes a dead letter.
func closedThread(ctx context.Context, d *demo) error {
	content, err := d.customer("Gus", "Thanks, all good now", sandbox.Import{})
	if err != nil {
		return err
	}
	d.say.line("sandbox", "Gus's conversation is closed")
	if err := d.sandbox.CloseThread(content.ThreadID); err != nil {
		return err
	}
	return d.answer(ctx, content, "Glad to hear it")
}

// commandTwice: a team's producer repeats a command; the customer is answered
// once.
func commandTwice(ctx context.Context, d *demo) error {
	content, err := d.customer("Hana", "Which size fits me?", sandbox.Import{})
	if err != nil {
		return err
	}
	if err := d.answer(ctx, content, "Take M"); err != nil {
		return err
	}
	last := d.issued[len(d.issued)-1]
	d.say.line("team", "repeats command %s by mistake", last.id)
	return d.command(ctx, content, last)
}

// edited: a customer edits a message, of which no webhook tells.
func edited(_ context.Context, d *demo) error {
	content, err := d.customer("Ida", "I orderd a lamp", sandbox.Import{})
	if err != nil {
		return err
	}
	d.say.line("customer", "Ida corrects the message")
	body := "I ordered a lamp"
	_, err = d.sandbox.Edit(content.ID, sandbox.Edit{Body: &body})
	return err
}

// together: many write at once.
func together(many int) scene {
	return func(_ context.Context, d *demo) error {
		d.say.line("customer", "%d write at once; a third of the webhooks get lost", many)
		no := false
		for i := range many {
			in := sandbox.Import{Author: fmt.Sprintf("Guest %d", i), Body: "Me too!"}
			if i%3 == 0 {
				in.Webhook = &no
			}
			if _, err := d.sandbox.Import(in); err != nil {
				return err
			}
		}
		return nil
	}
}

// spoiled answers a customer while the API is faulty for this one reply.
func (d *demo) spoiled(ctx context.Context, name, asks, answer string, fault sandbox.Fault) error {
	content, err := d.customer(name, asks, sandbox.Import{})
	if err != nil {
		return err
	}
	fault.Route = "POST /1.0/contents"
	fault.Match = map[string]string{"in_reply_to_id": content.ID}
	if _, err := d.sandbox.AddFault(fault); err != nil {
		return err
	}
	return d.answer(ctx, content, answer)
}

// customer makes a customer write.
func (d *demo) customer(name, text string, in sandbox.Import) (sandbox.Content, error) {
	in.Author, in.Body = name, text
	d.say.line("customer", "%s writes: %s", name, text)
	contents, err := d.sandbox.Import(in)
	if err != nil {
		return sandbox.Content{}, err
	}
	return contents[0], nil
}

// answer puts a new command on the topic.
func (d *demo) answer(ctx context.Context, to sandbox.Content, text string) error {
	if err := sleep.For(ctx, d.pace/3); err != nil { // the team reads before it writes
		return err
	}
	n := len(d.issued) + 1
	// The number makes the text one that no other command has, so that effects
	// can be counted.
	command := issued{id: fmt.Sprintf("demo-%s-%d", d.run, n), text: fmt.Sprintf("%s (%s-%d)", text, d.run, n)}
	d.issued = append(d.issued, command)
	d.say.line("team", "command %s: %s", command.id, text)
	return d.command(ctx, to, command)
}

func (d *demo) command(ctx context.Context, to sandbox.Content, c issued) error {
	value, err := d.codec.Encode(&schemas.ReplyCommand{
		CommandID: c.id, IssuedAt: time.Now().UTC(), IssuedBy: "demo", Metadata: map[string]string{},
		Action: &schemas.CreateContent{
			API: schemas.ContentApiEngage, InReplyToID: &to.ID, Body: c.text, BodyFormat: schemas.BodyFormatText, ContextData: map[string]string{},
		},
	})
	if err != nil {
		return err
	}
	record := &kgo.Record{Topic: d.names.Replies, Key: []byte(to.ThreadID), Value: value}
	return d.client.ProduceSync(ctx, record).FirstErr()
}
