package ringcentral_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A reply that the API refuses has certainly not been created; one whose outcome is unknown has to be looked for first.
func ExampleEngage_CreateContent() {
	api := tripper(func(r *http.Request) (*http.Response, error) {
		return answered(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"Can't reply to closed thread","error":"cant_reply_to_closed_thread","status":403}`)
		}, r), nil
	})
	e := ringcentral.NewEngage(
		ringcentral.EngageConfig{BaseURL: "https://acme.example/1.0", AccessToken: "token", Rate: 500},
		ringcentral.Deps{HTTP: &http.Client{Transport: api}},
	)
	defer e.Close()

	ctx := ringcentral.WithPriority(context.Background(), ringcentral.Reply)
	ctx = ringcentral.WithCallTimeout(ctx, 30*time.Second)
	ctx = ringcentral.WithStartDeadline(ctx, time.Now().Add(time.Minute))
	parent := "5464b5c04d61639684110000"
	_, err := e.CreateContent(ctx, ringcentral.CreateContent{Body: "On its way.", InReplyToID: &parent})

	if failure, ok := errors.AsType[*ringcentral.Error](err); ok {
		fmt.Println(failure.Outcome, failure.Code)
	}
	fmt.Println(err)
	// Output:
	// refused cant_reply_to_closed_thread
	// ringcentral: create_content: status 403: cant_reply_to_closed_thread: Can't reply to closed thread
}
