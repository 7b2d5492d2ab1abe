package poll

import (
	"cmp"
	"context"
	"time"

	"github.com/ringbridge/ringbridge/ingest"
	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// The streams of Engage, which are the keys of their cursors.
const (
	contentsStream   = "engage/contents"
	identitiesStream = "engage/identities"
)

// A kind is what differs between the streams.
type kind struct {
	stream string
	name   string      // Arrival.Kind
	api    schemas.Api // Engage when empty
	// How it is asked for: by positions (Engage), by keyset (Social Messaging), or by
	// sync tokens (the message store), which needs no list.
	fetch  func(ctx context.Context, source Source, offset, limit int) (ringcentral.Page, error)
	keyset func(ctx context.Context, platform Platform, q listQuery) (ringcentral.SocialPage, error)
	at     func(fields) lenient.Text // what the list is ordered by
	key    func(row) string
	// late says that rows may come with an old date, so that sweeps are needed. An
	// identity cannot: the list is ordered by updated_at, which the API sets itself.
	late   bool
	synced bool
}

// kinds lists the streams of Engage.
func kinds() []kind {
	return []kind{
		{
			stream: contentsStream,
			name:   "content",
			fetch: func(ctx context.Context, source Source, offset, limit int) (ringcentral.Page, error) {
				// Newest first is the API's default; a query (q) costs it more.
				return source.Contents(ctx, ringcentral.ContentsQuery{Offset: offset, Limit: limit})
			},
			at:   func(f fields) lenient.Text { return f.CreatedAt },
			key:  threadOrID,
			late: true,
		},
		{
			stream: identitiesStream,
			name:   "identity",
			fetch: func(ctx context.Context, source Source, offset, limit int) (ringcentral.Page, error) {
				return source.Identities(ctx, ringcentral.IdentitiesQuery{Sort: "updated_at", Offset: offset, Limit: limit})
			},
			at:  func(f fields) lenient.Text { return f.UpdatedAt },
			key: func(r row) string { return r.id },
		},
	}
}

// wants tells what belongs to this stream from the history before its first start
// (since), which is backfill's. What cannot be told is wanted.
func (k kind) wants(r row, since time.Time) bool {
	if r.id == "" || r.at.IsZero() || !r.at.Before(since) {
		return true
	}
	return k.late && (r.imported.IsZero() || !r.imported.Before(since))
}

func (k kind) item(r row) ingest.Item {
	arrival := schemas.Arrival{
		Origin: schemas.OriginPoll, API: cmp.Or(k.api, schemas.ApiEngage), Kind: k.name, ContentType: "application/json", Body: r.raw,
		ReceivedAt: r.read.UTC(), // not when it is written, which may be an hour later
	}
	if r.id != "" {
		arrival.ResourceID = &r.id
	}
	return ingest.Item{Key: k.key(r), Arrival: arrival}
}
