package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/webhook"
)

// printer is an inbox that shows what it is given.
type printer struct{}

func (printer) Accept(_ context.Context, items ...ingest.Item) error {
	for _, item := range items {
		fmt.Printf("%s, key %s: %s\n", item.Arrival.Kind, item.Key, item.Arrival.Body)
	}
	return nil
}

func (printer) Refuse(_ context.Context, refusals ...ingest.Refusal) error {
	for _, refusal := range refusals {
		fmt.Printf("refused, %s: %s\n", refusal.Message, refusal.Body)
	}
	return nil
}

func ExampleReceiver() {
	receiver := webhook.New(webhook.Deps{Inbox: printer{}}, webhook.Config{MaxBody: 5 << 20, Secret: "s3cret"})
	send := func(secret, body string) {
		req := httptest.NewRequest(http.MethodPost, webhook.Path, strings.NewReader(body))
		req.Header.Set(webhook.HeaderSecret, secret)
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, req)
		fmt.Println(w.Code)
	}
	send("s3cret", `{"events":[{"type":"content.imported","resource":{"id":"c1","metadata":{"thread_id":"t1"}}}]}`)
	send("s3cret", `hello`)
	send("wrong", `{"events":[]}`)
	// Output:
	// content.imported, key t1: {"type":"content.imported","resource":{"id":"c1","metadata":{"thread_id":"t1"}}}
	// 200
	// refused, not the JSON of a webhook request: hello
	// 200
	// 401
}
