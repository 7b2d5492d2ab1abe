package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/backfill"
	"github.com/ringbridge/ringbridge/internal/kafka"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// defaultRateShare leaves half of the calls to the bridge: replies, look-ups and
// polling need far less on most days, and a backfill may take its time.
const defaultRateShare = 0.5

// backfillConfig is what a backfill needs beside the connection.
type backfillConfig struct {
	Process  processConfig
	Engage   ringcentral.EngageConfig
	Platform platformConfig
}

type backfillFlags struct {
	since, until string
	only         []string
	rateShare    float64
	restart      bool
}

func (p *program) backfillCommand() *cobra.Command {
	var f backfillFlags
	c := &cobra.Command{
		Use:   "backfill",
		Short: "Put history into the inbox",
		Long: `Reads what is older than the first start of the bridge, which polling leaves alone,
and puts it into the inbox: oldest first, with origin BACKFILL. What was published
already is dropped behind it. The bridge may run meanwhile, and should, so that the
inbox is read before its retention takes it away.

It can be stopped at any moment. Each stream's place is kept in the topic cursors:
the same command again goes on from there, and one with an earlier --since begins
anew at that. --restart forgets the places.

Streams, of the APIs that are configured:
  engage/identities, engage/contents    by their dates of change, and of creation
  social/identities, social/contents    by creation; read down once to find the beginning
  sms/messages                          text messages, as far as the message store goes

It takes --rate-share of each API's limit; replicas that run leave it that much, and
within its process nothing is more urgent. One backfill runs at a time.

Rows that the API does not give (a page that cannot be read, a page token that leads
nowhere) are left out, and all that can be read around them is written: the stream is
INCOMPLETE then. The same command, run again later, reads on from before these rows.
Exit status: 0 all is in the inbox, 1 a fault or rows are missing, 130 interrupted.`,
		Example: `  ringbridge backfill --since 90d
  ringbridge backfill --since 2025-01-01T00:00:00Z --until 2025-07-01T00:00:00Z --only engage/contents
  ringbridge backfill --since 90d --rate-share 0.8 --restart`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.backfill(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.since, "since", "", "what is not older: a time (RFC 3339) or how long ago (36h, 90d)")
	flags.StringVar(&f.until, "until", "", "what is older: a time or how long ago; empty = now")
	flags.StringSliceVar(&f.only, "only", nil, "streams to read; empty = all")
	flags.Float64Var(&f.rateShare, "rate-share", defaultRateShare, "share of the APIs' limits, above 0 and below 1")
	flags.BoolVar(&f.restart, "restart", false, "begin anew, whatever was read before")
	return c
}

// span checks the flags.
func (f backfillFlags) span(now time.Time) (span backfill.Span, err error) {
	const want = "want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 36h or 90d"
	if span.From, err = parseTime(f.since, now); err != nil || f.since == "" {
		return span, usageError("--since: %s", want)
	}
	span.Until = now
	if f.until != "" {
		if span.Until, err = parseTime(f.until, now); err != nil {
			return span, usageError("--until: %s", want)
		}
	}
	switch {
	case !span.From.Before(span.Until) || span.Until.After(now):
		return span, usageError("--since, --until: want a part of the past, its beginning first")
	case !(f.rateShare > 0 && f.rateShare < 1):
		return span, usageError("--rate-share: want more than 0 and less than 1, such as 0.5")
	}
	if f.until == "" {
		span.Until = time.Time{} // a backfill that goes on keeps its own
	}
	return backfill.Span{From: span.From.UTC().Truncate(time.Second), Until: span.Until.UTC().Truncate(time.Second)}, nil
}

func (p *program) backfill(ctx context.Context, f backfillFlags) error {
	span, err := f.span(time.Now())
	if err != nil {
		return err
	}
	var cfg backfillConfig
	if err := load(ctx, &cfg, p.env); err != nil {
		return err
	}
	if !cfg.Engage.Enabled() && !cfg.Platform.Client.Enabled() {
		return errors.New("backfill: no API is configured: set ENGAGE_BASE_URL, or RINGCENTRAL_CLIENT_ID")
	}
	w, err := p.openBackfill(ctx, cfg, f)
	if err != nil {
		return err
	}
	defer w.close()
	var incomplete []error
	for _, stream := range w.streams {
		err := w.work.Run(ctx, stream, span, f.restart)
		switch {
		case errors.Is(err, backfill.ErrIncomplete): // the others do not wait for it
			incomplete = append(incomplete, err)
		case err != nil:
			return w.stopped(ctx, stream, err)
		}
	}
	return errors.Join(incomplete...)
}

// backfilling is a backfill with all that it is made of.
type backfilling struct {
	out     io.Writer
	work    *backfill.Backfill
	streams []string
	shown   *progress
	news    *news
	traces  traces
	undo    []func() // in the order of their making
}

func (w *backfilling) close() {
	for _, undo := range slices.Backward(w.undo) {
		undo()
	}
}

// openBackfill connects to everything. After an error nothing is left open.
func (p *program) openBackfill(ctx context.Context, cfg backfillConfig, f backfillFlags) (w *backfilling, err error) {
	w = &backfilling{out: p.out, shown: newProgress(p.out)}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	connection, codec, err := p.openRegistry(ctx, true)
	if err != nil {
		return w, err
	}
	logger := newLogger(p.err, connection.Broker.Log)
	if w.traces, err = openTraces(ctx, cfg.Process.Traces, logger.With("component", "traces")); err != nil {
		return w, err
	}
	w.undo = append(w.undo, func() { _ = w.traces.stop(context.WithoutCancel(ctx)) })
	deps := backfill.Deps{Logger: logger.With("component", "backfill"), Report: w.report}
	w.news = newNews(kafka.TopicNames(connection.Broker.Topics.Prefix), logger.With("component", "news"))
	w.openAPIs(&deps, cfg, f.rateShare, logger)
	if err := w.choose(deps, f.only); err != nil {
		return w, err
	}
	if err := w.openKafka(ctx, &deps, connection.Broker, cfg.Process.Account, codec, f.rateShare, logger); err != nil {
		return w, err
	}
	w.work = backfill.New(deps)
	return w, nil
}

func (w *backfilling) openAPIs(deps *backfill.Deps, cfg backfillConfig, share float64, logger *slog.Logger) {
	if cfg.Engage.Enabled() {
		engage := ringcentral.NewEngage(cfg.Engage, ringcentral.Deps{Logger: logger.With("component", "engage"), Penalized: w.news.window})
		w.news.add(engage)
		w.undo = append(w.undo, engage.Close)
		engage.Share(share)
		deps.Engage = engage
	}
	if cfg.Platform.Client.Enabled() {
		platform := ringcentral.NewPlatform(cfg.Platform.Client, ringcentral.Deps{Logger: logger.With("component", "platform"), Penalized: w.news.window})
		w.news.add(platform)
		w.undo = append(w.undo, platform.Close)
		platform.Share(share)
		deps.Platform, deps.Social = platform, cfg.Platform.Client.Contents()
	}
}

// choose takes the streams that were asked for, in the order they are best read in.
func (w *backfilling) choose(deps backfill.Deps, only []string) error {
	known := backfill.New(deps).Streams()
	for _, stream := range only {
		if !slices.Contains(known, stream) {
			return usageError("--only %q: want %s", stream, strings.Join(known, ", "))
		}
	}
	for _, stream := range known {
		if len(only) == 0 || slices.Contains(only, stream) {
			w.streams = append(w.streams, stream)
		}
	}
	return nil
}

func (w *backfilling) openKafka(ctx context.Context, deps *backfill.Deps, broker brokerConfig, account string, codec *schemas.Codec, share float64, logger *slog.Logger) error {
	opts, err := clientOptions(broker, logger)
	if err != nil {
		return err
	}
	adm, err := dialAdmin(ctx, broker, logger)
	if err != nil {
		return err
	}
	w.undo = append(w.undo, adm.Close)
	names := kafka.TopicNames(broker.Topics.Prefix)
	for _, topic := range []string{names.Inbox, names.Cursors} {
		if _, err := partitionsOf(ctx, adm, topic); err != nil {
			return err
		}
	}
	inbox, err := ingest.NewInbox(ingest.Deps{Options: opts, Topics: names, Account: account, Codec: codec, Logger: logger, Tracer: w.traces.tracer(stageIngest)})
	if err != nil {
		return err
	}
	w.undo = append(w.undo, inbox.Close)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	w.undo = append(w.undo, client.Close)
	deps.Inbox, deps.Places = inbox, backfill.NewPlaces(client, opts, names)
	if err := w.followNews(ctx, adm, opts); err != nil {
		return err
	}
	leave, err := takeRoom(ctx, adm, broker, opts, share)
	if leave != nil {
		w.undo = append(w.undo, leave)
	}
	return err
}

// followNews keeps the penalty windows that the bridge is told of, and tells it of others.
func (w *backfilling) followNews(ctx context.Context, adm *kadm.Client, opts []kgo.Opt) error {
	if err := w.news.open(ctx, adm, opts); err != nil {
		return err
	}
	var done sync.WaitGroup
	following, stop := context.WithCancel(ctx)
	done.Go(func() { w.news.run(following) })
	w.undo = append(w.undo, func() { stop(); done.Wait(); w.news.close() })
	w.news.await(ctx)
	return nil
}

// report shows where a stream is.
func (w *backfilling) report(r backfill.Progress) {
	day := r.Reached.UTC().Format(time.DateTime)
	switch {
	case r.Incomplete:
		w.shown.end(fmt.Sprintf("INCOMPLETE %s: %d rows written; rows after %s are missing, as the API does not give them: run the same command again later, it reads them from there",
			r.Stream, r.Rows, day))
	case r.End && r.LeftOut > 0:
		w.shown.end(fmt.Sprintf("done    %s: %d rows written, up to %s; %d left out, which the inbox cannot hold", r.Stream, r.Rows, day, r.LeftOut))
	case r.End:
		w.shown.end(fmt.Sprintf("done    %s: %d rows written, up to %s", r.Stream, r.Rows, day))
	default:
		note := "at " + day
		if r.Missing > 0 {
			note += ", rows after it are missing"
		}
		if r.Waiting != "" {
			note += ", " + r.Waiting
		}
		w.shown.show(r.Stream, r.Fraction(), r.Rows, note)
	}
}

// stopped says how to go on.
func (w *backfilling) stopped(ctx context.Context, stream string, err error) error {
	w.shown.end(fmt.Sprintf("stopped %s: what it wrote is safe; the same command goes on from there", stream))
	if ctx.Err() != nil {
		return &exitError{code: exitInterrupted}
	}
	return err
}
