package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	ringbridge "github.com/ringbridge/ringbridge/cmd/ringbridge"
)

func TestCleanupsRunNewestFirstAndWithinTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		add, run := ringbridge.Cleanups(slog.New(slog.NewTextHandler(&log, nil)))
		var order []string
		fault := errors.New("fault")
		free := make(chan struct{})
		add("first", func(context.Context) error { order = append(order, "first"); return nil })
		add("stuck", func(context.Context) error { <-free; return nil })
		add("faulty", func(context.Context) error { order = append(order, "faulty"); return fault })
		add("last", func(context.Context) error { order = append(order, "last"); return nil })

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		err := run(ctx)
		require.Equal(t, []string{"last", "faulty", "first"}, order)
		require.ErrorIs(t, err, fault)
		require.ErrorContains(t, err, "stop stuck: not done in time")
		require.InDelta(t, time.Minute, time.Since(begun), float64(time.Second))

		require.NoError(t, run(t.Context()), "all is undone once")
		close(free)
	})
}

func TestFilters(t *testing.T) {
	var value any
	require.NoError(t, json.Unmarshal([]byte(`{"event_type":"content.imported","content":{"thread_id":"t","private":true,"id":null,
		"attachments":[{"id":"a"},{"id":"b"}]},"a.b":{"c":1}}`), &value))
	headers := map[string]any{"ce_type": "x", "ringbridge.dlq.reason": "forbidden"}
	for filter, want := range map[string]bool{
		"event_type=content.imported":             true,
		"event_type=content":                      false,
		"content.thread_id=t":                     true,
		".content.thread_id=t":                    true,
		"content.private=true":                    true,
		"content.id=null":                         true,
		"content.attachments.id=b":                true,
		"content.attachments.id=c":                false,
		"a.b.c=1":                                 true,
		"headers.ringbridge.dlq.reason=forbidden": true,
		"headers.ce_type=y":                       false,
		"offset=0":                                true,
		"key=null":                                true,
		"nothing=":                                false,
		"content.thread_id.deeper=t":              false,
	} {
		got, err := ringbridge.Matches(value, headers, filter)
		require.NoError(t, err)
		require.Equal(t, want, got, filter)
	}
	all, err := ringbridge.Matches(value, headers, "content.thread_id=t", "headers.ce_type=y")
	require.NoError(t, err)
	require.False(t, all, "all filters must hold")
	_, err = ringbridge.Matches(value, headers, "thread")
	require.ErrorContains(t, err, "FIELD=TEXT")
}

func TestTimesOfTheCommandLine(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T15:04:05Z":      time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		"2026-01-02T15:04:05+02:00": time.Date(2026, 1, 2, 13, 4, 5, 0, time.UTC),
		"90m":                       now.Add(-90 * time.Minute),
		"3d":                        now.AddDate(0, 0, -3),
		"beginning":                 {},
	} {
		got, err := ringbridge.Since(text, now)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s is %s", text, got)
	}
	for _, text := range []string{"yesterday", "xd", ""} {
		_, err := ringbridge.Since(text, now)
		require.Error(t, err, text)
	}
}
