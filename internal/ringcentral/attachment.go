package ringcentral

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const (
	// platformDomain is the platform's own; what is below it may serve attachments from mediaHost.
	platformDomain = "ringcentral.com"
	mediaHost      = "media.ringcentral.com"
	// maxRedirects is how often a download may be sent on.
	maxRedirects = 3
)

var errTooLarge = errors.New("larger than the limit")

// Attachment is what an answer says of the file that it carries.
type Attachment struct {
	ContentType string
	Filename    string // empty if it isn't told; made by strangers: no path to be trusted
	Size        int64  // bytes that were written
}

// Attachment downloads the attachment at uri, as a message names it, into w: not more than limit bytes. After an error what was written is a
// part, to be thrown away.
//
// The uri comes out of messages, so the token goes to the configured server only, and to RingCentral's media host if that is one of
// RingCentral's. Any other uri is refused with ErrInvalid. A redirect elsewhere is followed without the token.
func (p *Platform) Attachment(ctx context.Context, uri string, w io.Writer, limit int64) (Attachment, error) {
	at, err := p.address(uri)
	if err != nil {
		return Attachment{}, err
	}
	for range maxRedirects {
		var got Attachment
		var next string
		got, next, err = p.download(ctx, at, w, limit)
		if next == "" {
			return got, err
		}
		to, parseErr := at.Parse(next)
		if parseErr != nil || to.User != nil || to.Host == "" || to.Scheme != at.Scheme && to.Scheme != "https" {
			return Attachment{}, err
		}
		at = to
	}
	return Attachment{}, err
}

// address resolves uri and refuses what may not be shown the token.
func (p *Platform) address(uri string) (*url.URL, error) {
	base, err := url.Parse(p.c.base + "/")
	if err != nil {
		return nil, invalid(opAttachment, "the server has no address")
	}
	at, err := base.Parse(uri)
	if err != nil || uri == "" {
		return nil, invalid(opAttachment, "the attachment has no address")
	}
	if at.User != nil || !p.trusted(at) {
		return nil, invalid(opAttachment, "the attachment is on another host")
	}
	at.Fragment = ""
	return at, nil
}

// trusted reports whether the token may go to the address: its scheme, host and port count.
func (p *Platform) trusted(at *url.URL) bool {
	server, err := url.Parse(p.c.base)
	if err != nil {
		return false
	}
	if at.Scheme == server.Scheme && strings.EqualFold(at.Host, server.Host) {
		return true
	}
	host := strings.ToLower(server.Hostname())
	return server.Scheme == "https" && strings.HasSuffix(host, "."+platformDomain) &&
		at.Scheme == "https" && strings.EqualFold(at.Host, mediaHost)
}

// download gets one address. next is where a redirect leads, with the error that it is.
func (p *Platform) download(ctx context.Context, at *url.URL, w io.Writer, limit int64) (got Attachment, next string, err error) {
	k := call{
		op: opAttachment, method: http.MethodGet, base: at.Scheme + "://" + at.Host, path: at.RequestURI(), priority: Poll,
		moved: &next, stream: func(h http.Header, body io.Reader) error {
			n, err := io.Copy(w, io.LimitReader(body, limit+1))
			if err == nil && n > limit {
				err = errTooLarge
			}
			_, params, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
			got = Attachment{ContentType: h.Get("Content-Type"), Filename: params["filename"], Size: n}
			return err
		},
	}
	if !p.trusted(at) {
		k.creds = fixedCredential{}
		k.elsewhere, k.limits = true, oneLimit{newLimiter(groupRoute, plan{})} // another server's calls are not the platform's
	}
	err = p.c.do(ctx, k)
	return got, next, err
}
