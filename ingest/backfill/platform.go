package backfill

import (
	"context"
	"strings"

	"github.com/ringbridge/ringbridge/ingest/poll"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// A Platform lists what the RingCentral platform has. Its errors are
// *ringcentral.Error.
type Platform interface {
	Contents(ctx context.Context, q ringcentral.SocialQuery) (ringcentral.SocialPage, error)
	Identities(ctx context.Context, q ringcentral.SocialIdentitiesQuery) (ringcentral.SocialPage, error)
	Messages(ctx context.Context, q ringcentral.MessagesQuery) (ringcentral.MessagePage, error)
}

// patientPlatform is a platform that tries again.
type patientPlatform struct {
	run      *run
	platform Platform
}

// list returns a page of one of Social Messaging's lists by creation, newest first:
// the order that all generations of the API know.
func (p patientPlatform) list(ctx context.Context, stream, token string) (page ringcentral.SocialPage, err error) {
	err = p.run.try(ctx, func() error {
		if strings.HasSuffix(stream, "/identities") {
			page, err = p.platform.Identities(call(ctx), ringcentral.SocialIdentitiesQuery{OrderBy: ringcentral.NewestCreated, PageToken: token, PerPage: ringcentral.MaxSocialPage})
		} else {
			page, err = p.platform.Contents(call(ctx), ringcentral.SocialQuery{OrderBy: ringcentral.NewestCreated, PageToken: token, PerPage: ringcentral.MaxSocialPage})
		}
		return err
	})
	return page, err
}

func (p patientPlatform) messages(ctx context.Context, q ringcentral.MessagesQuery) (page ringcentral.MessagePage, err error) {
	err = p.run.try(ctx, func() error {
		page, err = p.platform.Messages(call(ctx), q)
		return err
	})
	return page, err
}

// ofSpan adds the rows that belong to the span and are not in known to the step.
func (s *step) ofSpan(rows []poll.HistoryRow, span Span, known map[string]bool) {
	for _, row := range rows {
		if span.includes(row.At) && !known[row.Ident] {
			s.items = append(s.items, row.Item)
		}
	}
}
