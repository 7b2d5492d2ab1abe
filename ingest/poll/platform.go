package poll

import (
	"context"

	"github.com/ringbridge/ringbridge/ingest/internal/lenient"
	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/schemas"
)

// The streams of the platform.
const (
	socialContentsStream   = "social/contents"
	socialIdentitiesStream = "social/identities"
	messagesStream         = "sms/messages"
)

// The APIs, each with one credential: a metric label.
const (
	apiEngage   = "engage"
	apiPlatform = "platform"
)

// owner returns the API that the stream is polled from.
func (k kind) owner() string {
	if k.fetch != nil {
		return apiEngage
	}
	return apiPlatform
}

// remedies are what an operator looks at when an API refuses.
type remedies struct {
	component  string // on the health board
	credential string
	address    string
}

func (k kind) remedies() remedies {
	if k.owner() == apiEngage {
		return remedies{component: component, credential: "renew ENGAGE_ACCESS_TOKEN", address: "ENGAGE_BASE_URL"}
	}
	r := remedies{
		component: component + " platform", credential: "renew RINGCENTRAL_JWT, or check RINGCENTRAL_CLIENT_ID and RINGCENTRAL_CLIENT_SECRET",
		address: "RINGCENTRAL_SERVER_URL",
	}
	if k.keyset != nil {
		r.address = "RINGCENTRAL_CONTENTS_PATH, off if the account has no such API"
	}
	return r
}

// kinds lists the streams that are to be polled.
func (d Deps) kinds() []kind {
	var wanted []kind
	if d.Source != nil {
		wanted = kinds()
	}
	if d.Platform == nil {
		return wanted
	}
	if d.Social {
		wanted = append(wanted, socialKinds()...)
	}
	return append(wanted, messagesKind())
}

// socialKinds lists the streams of Social Messaging. By modification, changes come
// like new rows, and so do late imports, whose old date is that of their creation.
func socialKinds() []kind {
	return []kind{
		{
			stream: socialContentsStream, name: "content", api: schemas.ApiSocial,
			keyset: func(ctx context.Context, platform Platform, q listQuery) (ringcentral.SocialPage, error) {
				return platform.Contents(ctx, ringcentral.SocialQuery{OrderBy: q.order, PageToken: q.token, PerPage: q.rows})
			},
			at:  modified,
			key: threadOrID,
		},
		{
			stream: socialIdentitiesStream, name: "identity", api: schemas.ApiSocial,
			keyset: func(ctx context.Context, platform Platform, q listQuery) (ringcentral.SocialPage, error) {
				return platform.Identities(ctx, ringcentral.SocialIdentitiesQuery{OrderBy: q.order, PageToken: q.token, PerPage: q.rows})
			},
			at:  modified,
			key: func(r row) string { return r.id },
		},
	}
}

func messagesKind() kind {
	return kind{stream: messagesStream, name: "message", api: schemas.ApiSms, at: created, key: threadOrID, synced: true}
}

func modified(f fields) lenient.Text { return f.LastModifiedTime }

func created(f fields) lenient.Text { return f.CreationTime }

// threadOrID is the conversation, or where there is none the row by itself.
func threadOrID(r row) string {
	if r.thread != "" {
		return r.thread
	}
	return r.id
}
