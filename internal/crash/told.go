package crash

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// The contents of Engage Digital that the account reports and lists.
const (
	toldLanes = 2
	toldEach  = 3
)

// told puts contents with all that one can have into the account, which reports them, and changes
// some afterwards. Each stands by itself: webhooks come in no order.
func (b *bed) told(ctx context.Context, l lane) error {
	for n := range toldEach {
		if err := l.pause(ctx); err != nil {
			return err
		}
		in := sandbox.Import{
			Title: fmt.Sprintf("subject %d-%d-%d", l.round, l.n, n), Language: "fr", CategoryIDs: []string{"c1", "c2"}, ContextData: map[string]any{"order": "4711"},
		}
		if l.one(2) {
			in.Attachments = []sandbox.Attachment{{Filename: "photo.png", ContentType: "image/png", Size: 5}}
		}
		made, err := b.box.Import(in)
		if err != nil {
			return fmt.Errorf("crash: %w", err)
		}
		b.book.Tell(made[0].ID, made[0].ID, 0, false, true)
		if l.one(2) {
			continue
		}
		if err := l.pause(ctx); err != nil {
			return err
		}
		if _, err := b.box.Edit(made[0].ID, sandbox.Edit{Fields: changed(l, engageChanges())}); err != nil {
			return fmt.Errorf("crash: %w", err)
		}
	}
	return nil
}

// engageChanges are fields that change after a content was reported: a value becomes another, null or
// empty, and null a value.
func engageChanges() []string {
	return []string{
		`{"body":"edited"}`, `{"status":"assigned"}`, `{"category_ids":[]}`, `{"category_ids":["c3"]}`, `{"language":"en"}`, `{"title":"another subject"}`,
		`{"context_data":{"order":"4712","vip":true}}`, `{"intervention_id":"5f0000000000000000000701"}`, `{"foreign_id":null}`, `{"foreign_categories":["x"]}`,
		`{"synchronization_error":"boom"}`, `{"private_message":true}`, `{"remotely_deleted":true}`, `{"published":false}`, `{"creator_id":"u1"}`,
	}
}

// socialChanges are the same of Social Messaging.
func socialChanges() []string {
	return []string{
		`{"status":"Assigned"}`, `{"categoryIds":["c3"]}`, `{"language":"Fr"}`, `{"title":"another subject"}`, `{"contextData":{"order":"4712"}}`,
		`{"interventionId":"5f0000000000000000000701"}`, `{"foreignCategories":["x"]}`, `{"synchronizationError":"boom"}`, `{"public":false}`,
		`{"remotelyDeleted":true}`, `{"published":false}`,
		`{"attachments":[{"id":"f1","contentType":"image/png","filename":"photo.png","size":5,"uri":"http://sandbox.invalid/f1"}]}`,
	}
}

// changed is one of the changes.
func changed(l lane, all []string) json.RawMessage {
	return json.RawMessage(all[l.random.IntN(len(all))])
}
