package poll

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync/atomic"
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
			fetch:  sortedIdentities(),
			at:     func(f fields) lenient.Text { return f.UpdatedAt },
			key:    func(r row) string { return r.id },
		},
	}
}

// unsortedFor is how long a list is asked for without an order after the API has refused it.
const unsortedFor = time.Hour

// sortedIdentities lists identities by their changes, newest first. Where the API refuses the order,
// it lists them in its own for a while: the newest come in, and changes of old ones may be missed.
func sortedIdentities() func(context.Context, Source, int, int) (ringcentral.Page, error) {
	var refused atomic.Int64 // unix ms until which the order is not asked for
	return func(ctx context.Context, source Source, offset, limit int) (ringcentral.Page, error) {
		q := ringcentral.IdentitiesQuery{Sort: "updated_at", Offset: offset, Limit: limit}
		if time.Now().UnixMilli() < refused.Load() {
			q.Sort = ""
		}
		page, err := source.Identities(ctx, q)
		answer, ok := errors.AsType[*ringcentral.Error](err)
		if q.Sort == "" || !ok || answer.Status != http.StatusBadRequest && answer.Status != http.StatusUnprocessableEntity {
			return page, err
		}
		q.Sort = ""
		unsorted, again := source.Identities(ctx, q)
		if again != nil {
			return page, err // the order was not the reason
		}
		refused.Store(time.Now().Add(unsortedFor).UnixMilli())
		return unsorted, nil
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
