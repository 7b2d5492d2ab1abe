package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// A reply whose answer is a 500 although it was written: the trap that every client without an idempotency key meets.
func Example() {
	server := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	defer server.Close()
	asked, _ := server.Import(sandbox.Import{Body: "Where is my order?", Author: "Ann"})
	_, _ = server.AddFault(sandbox.Fault{Route: "POST /1.0/contents", Status: 500, AfterEffect: true, Times: 1})

	client := http.Client{Transport: sandbox.Transport{Handler: server.Handler()}}
	form := url.Values{"in_reply_to_id": {asked[0].ID}, "body": {"On its way"}}
	req, _ := http.NewRequest(http.MethodPost, "http://sandbox/1.0/contents", strings.NewReader(form.Encode()))
	req.Header.Set("Authorization", "Bearer "+sandbox.DefaultToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()

	fmt.Println(resp.StatusCode)
	for _, c := range server.Contents() {
		fmt.Println(c.CreatedFrom, c.Status, c.Body)
	}
	// Output:
	// 500
	// synchronizer replied Where is my order?
	// api user_reply On its way
}
