package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/internal/letters"
	"github.com/ringbridge/ringbridge/schemas"
)

// narrator writes the running account. It is safe for concurrent use.
type narrator struct {
	mu  sync.Mutex
	out io.Writer
}

func newNarrator(out io.Writer) *narrator { return &narrator{out: out} }

// line tells who did what.
func (n *narrator) line(who, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, "%s  %-11s %s\n", time.Now().Format("15:04:05.000"), who, oneLine(fmt.Sprintf(format, args...)))
}

// narrate tells what comes out on the topics, as any consumer sees it, until ctx
// ends.
func (d *demo) narrate(ctx context.Context) {
	client, err := kgo.NewClient(append(slices.Clip(d.reach.opts),
		kgo.ConsumeTopics(d.names.Contents, d.names.Results, d.names.RepliesDLQ),
		kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(time.Now().UnixMilli())),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)...)
	if err != nil {
		d.say.line("demo", "cannot follow the topics: %v", err)
		return
	}
	defer client.Close()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) { d.narrateRecord(ctx, record) })
	}
}

func (d *demo) narrateRecord(ctx context.Context, record *kgo.Record) {
	switch record.Topic {
	case d.names.Contents:
		var event schemas.ContentEvent
		if d.codec.Decode(ctx, record.Value, &event) == nil {
			d.say.line("event", "%s", eventStory(&event))
		}
	case d.names.Results:
		var result schemas.ReplyResult
		if d.codec.Decode(ctx, record.Value, &result) == nil && result.State == schemas.ReplyStateSucceeded {
			d.say.line("result", "%s", resultStory(&result))
		}
	case d.names.RepliesDLQ:
		if l, err := letters.Read(ctx, d.codec, letters.Replies, record); err == nil {
			d.say.line("dead letter", "%s: %s (%d): %s", l.CommandID, l.Info.Reason, l.Info.HTTPStatus, l.Info.Message)
		}
	}
}

func eventStory(event *schemas.ContentEvent) string {
	story := event.EventType
	if event.Content.Body != "" {
		story += ": " + event.Content.Body
	}
	switch {
	case event.Author != nil && event.Author.DisplayName != nil:
		story += ", by " + *event.Author.DisplayName
	case event.Content.Direction == schemas.DirectionOutbound:
		story += ", by the brand"
	}
	if event.Origin == schemas.OriginPoll {
		return story + " (found by polling)"
	}
	return story + " (by webhook)"
}

func resultStory(result *schemas.ReplyResult) string {
	story := fmt.Sprintf("%s %s", result.CommandID, result.State)
	if result.Attempts > 1 {
		story += fmt.Sprintf(" after %d attempts", result.Attempts)
	}
	if result.Recovered {
		story += ": found, and not sent again"
	}
	return story
}

// observe tells of replies that the API does not just take.
func (n *narrator) observe(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/1.0/") {
			api.ServeHTTP(w, r)
			return
		}
		seen := &statusSeen{ResponseWriter: w}
		defer func() {
			switch seen.status {
			case http.StatusOK:
			case 0:
				n.line("sandbox", "cuts the connection instead of answering the call")
			default:
				n.line("sandbox", "answers %d to the call", seen.status)
			}
		}()
		api.ServeHTTP(seen, r)
	})
}

// statusSeen remembers the status of an answer; 0 = there was none.
type statusSeen struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *statusSeen) Write(data []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(data)
}

// Unwrap lets the sandbox reach the connection, to cut it.
func (s *statusSeen) Unwrap() http.ResponseWriter { return s.ResponseWriter }
