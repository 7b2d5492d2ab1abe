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

// socialPages are the pages of one stream.
type socialPages struct {
	patientPlatform

	stream string
}

// Page implements poll.Pages with a page of one of Social Messaging's lists.
func (p socialPages) Page(ctx context.Context, tries int, order ringcentral.OrderBy, token string, perPage int) (page ringcentral.SocialPage, err error) {
	err = p.run.tryPage(ctx, tries, func() error {
		page, err = p.list(ctx, order, token, perPage)
		return err
	}, func() error {
		_, err := p.list(ctx, order, "", 1)
		return err
	})
	return page, err
}

func (p socialPages) list(ctx context.Context, order ringcentral.OrderBy, token string, perPage int) (ringcentral.SocialPage, error) {
	if strings.HasSuffix(p.stream, "/identities") {
		return p.platform.Identities(call(ctx), ringcentral.SocialIdentitiesQuery{OrderBy: order, PageToken: token, PerPage: perPage})
	}
	return p.platform.Contents(call(ctx), ringcentral.SocialQuery{OrderBy: order, PageToken: token, PerPage: perPage})
}

func (p patientPlatform) messages(ctx context.Context, q ringcentral.MessagesQuery) (page ringcentral.MessagePage, err error) {
	err = p.run.tryPage(ctx, pageTries, func() error {
		page, err = p.platform.Messages(call(ctx), q)
		return err
	}, func() error {
		_, err := p.platform.Messages(call(ctx), ringcentral.MessagesQuery{Types: q.Types, PerPage: 1})
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
