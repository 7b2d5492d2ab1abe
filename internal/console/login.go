package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authorize lets through who knows the token, as a Bearer or by a session that
// began with it; everybody when there is none.
func (c *Console) authorize(next http.Handler) http.Handler {
	if c.deps.Token.Reveal() == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, bearer := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case c.sessions.has(r):
			next.ServeHTTP(w, r)
		case !bearer || !strings.EqualFold(scheme, "Bearer"):
			c.refuse(w, r)
		case c.bearers.wait(r) > 0:
			tooMany(w, c.bearers.wait(r))
		case !c.isToken(strings.TrimSpace(given)):
			c.bearers.failed(r)
			c.refuse(w, r)
		default:
			c.bearers.succeeded(r)
			next.ServeHTTP(w, r)
		}
	})
}

// isToken takes the same time wherever the first difference is, and whatever the
// lengths are.
func (c *Console) isToken(given string) bool {
	want, got := sha256.Sum256([]byte(c.deps.Token.Reveal())), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// refuse answers 401: a person with the form to log in with, a program in a line.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("WWW-Authenticate", `Bearer realm="ringbridge"`)
	switch {
	case isPart(r): // a page whose session has ended renews itself
		header.Set("HX-Redirect", "/login")
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html"):
		c.showLogin(w, r, http.StatusUnauthorized, loginView{Next: r.URL.RequestURI()})
	default:
		http.Error(w, "ADMIN_TOKEN wanted, as Authorization: Bearer", http.StatusUnauthorized)
	}
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	http.Error(w, "too many wrong tokens: wait", http.StatusTooManyRequests)
}

// seconds rounds up, so that who waits so long is not early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// loginView is the form.
type loginView struct {
	Next  string // where to go then
	Wrong bool
	Wait  int // seconds before the next try
}

// showLogin shows the form.
func (c *Console) showLogin(w http.ResponseWriter, r *http.Request, status int, view loginView) {
	f := c.frame(r, "Log in", view)
	f.Stranger = true
	c.pages.render(w, r, c.deps.Logger, status, "login", f)
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) {
	if c.deps.Token.Reveal() == "" || c.sessions.has(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.showLogin(w, r, http.StatusOK, loginView{Next: "/"})
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	view := loginView{Next: ownPath(r.PostFormValue("next"))}
	log := c.deps.Logger.With("remote", sender(r))
	if wait := c.logins.wait(r); wait > 0 {
		view.Wait = seconds(wait)
		w.Header().Set("Retry-After", strconv.Itoa(view.Wait))
		c.showLogin(w, r, http.StatusTooManyRequests, view)
		return
	}
	if c.deps.Token.Reveal() != "" {
		if !c.isToken(strings.TrimSpace(r.PostFormValue("token"))) {
			c.logins.failed(r)
			log.Warn("login to the console refused: wrong token")
			view.Wrong = true
			c.showLogin(w, r, http.StatusUnauthorized, view)
			return
		}
		c.logins.succeeded(r)
		c.sessions.open(w)
		log.Info("login to the console")
	}
	http.Redirect(w, r, view.Next, http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.sessions.close(w, r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// ownPath returns a path of the console, whatever a link to the login page says.
func ownPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
