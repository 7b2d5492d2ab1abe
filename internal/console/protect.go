package console

import (
	"net"
	"net/http"
	"strings"
)

// contentPolicy lets a page load its own files and nothing else: no script or
// style within a page, none from elsewhere, no frame around it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxForm bounds what a form may send: a page of letters with all boxes ticked is
// a few kilobytes.
const maxForm = 64 << 10

// protect is what every request goes through before a page is looked for.
func (c *Console) protect(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection() // refuses forms that other sites send
	bounded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
	return setHeaders(c.checkHost(crossOrigin.Handler(bounded)))
}

func setHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// checkHost refuses requests that name another host, where no token is wanted: a
// site could have its name resolve to this machine, and read the pages through the
// browser of somebody who sits at it.
func (c *Console) checkHost(next http.Handler) http.Handler {
	own, _, _ := net.SplitHostPort(c.deps.Addr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.deps.Token.Reveal() == "" && !local(r.Host, own) {
			http.Error(w, "ask for it as localhost; to have it answer to other names, set ADMIN_TOKEN", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local tells whether the Host header names this machine, or the host that the
// listener was configured with.
func local(hostport, own string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if own != "" && strings.EqualFold(host, own) || strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
