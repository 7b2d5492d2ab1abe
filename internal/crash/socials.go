package crash

import (
	"context"
	"fmt"

	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// The contents of Social Messaging of a round.
const (
	socialLanes   = 2 // conversations left for the poller
	socialEach    = 4
	editedLanes   = 2 // contents that are edited
	editedEach    = 3
	answeredLanes = 2 // conversations that are answered
)

// socials puts contents into Social Messaging. Of the odd lanes' the platform tells, once and in no order.
func (b *bed) socials(ctx context.Context, l lane) error {
	thread, told := fmt.Sprintf("social-%d", l.n), l.n%2 == 1
	for n := range socialEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		made, err := b.social(sandbox.SocialImport{ThreadID: thread, Notify: &told})
		if err != nil {
			return err
		}
		conversation := thread
		if told {
			conversation = made.ID
		}
		b.book.Tell(made.ID, conversation, l.round*1000+n, false, true)
	}
	return nil
}

// edited puts a content into Social Messaging and edits it, of which nobody tells.
func (b *bed) edited(ctx context.Context, l lane) error {
	silent := false
	made, err := b.social(sandbox.SocialImport{Body: fmt.Sprintf("draft %d-%d", l.round, l.n), Notify: &silent})
	if err != nil {
		return err
	}
	b.book.Tell(made.ID, made.ID, 0, false, true)
	b.book.Comes(made.ID, made.Body)
	for n := range editedEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		body := fmt.Sprintf("draft %d-%d-%d", l.round, l.n, n)
		b.book.Comes(made.ID, body)
		if _, err := b.box.Platform().EditContent(made.ID, sandbox.SocialEdit{Body: &body, Fields: changed(l, socialChanges())}); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	return nil
}

// answered answers a customer of Social Messaging by commands.
func (b *bed) answered(ctx context.Context, l lane) error {
	silent := false
	thread := fmt.Sprintf("social-answered-%d", l.n)
	parent, err := b.social(sandbox.SocialImport{ThreadID: thread, Notify: &silent})
	if err != nil {
		return err
	}
	b.book.Tell(parent.ID, thread, l.round, false, true)
	return b.answers(ctx, l, "social", thread, func(body string) any {
		return &schemas.CreateContent{API: schemas.ContentApiSocial, BodyFormat: schemas.BodyFormatText, InReplyToID: &parent.ID, Body: body}
	})
}

func (b *bed) social(in sandbox.SocialImport) (sandbox.SocialContent, error) {
	made, err := b.box.Platform().ImportContents(in)
	if err != nil {
		return sandbox.SocialContent{}, fmt.Errorf("crash: %w", err)
	}
	return made[0], nil
}
