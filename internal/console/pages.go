package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed pages
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// pages are the templates, each within the frame, and the files that they load.
type pages struct {
	templates map[string]*template.Template
	assets    http.Handler
}

// frame is what every page is given: itself, within the console.
type frame struct {
	Title            string
	Version, Account string
	Up               time.Duration
	Path             string // which link is this page's
	Self             string // what the page asks for to renew itself
	Masked           bool
	LoggedIn         bool
	Stranger         bool // who has not shown the token is told nothing
	// Moving is set where the page is to be loaded again by itself even without
	// script.
	Moving bool
	View   any
}

func (c *Console) frame(r *http.Request, title string, view any) frame {
	return frame{
		Title: title, Version: c.deps.Version, Account: c.deps.Account, Up: time.Since(c.started),
		Path: r.URL.Path, Self: r.URL.RequestURI(), Masked: c.deps.MaskText, LoggedIn: c.sessions.has(r), View: view,
	}
}

// link is one of those at the head of every page.
type link struct{ Name, Path string }

// Is tells whether a page at the path belongs to the link.
func (l link) Is(path string) bool {
	return path == l.Path || l.Path != "/" && strings.HasPrefix(path, l.Path+"/")
}

// links are in the order in which an operator asks.
func links() []link {
	return []link{{"Working", "/"}, {"Stuck", "/stuck"}, {"Given up", "/letters"}, {"Find", "/find"}, {"Flow", "/flow"}}
}

// loadPages reads what is in the binary; what is wrong there no start can survive.
func loadPages() *pages {
	p := &pages{templates: map[string]*template.Template{}}
	sums := map[string]string{}
	files := sub(assetFiles, "assets")
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			content, _ := fs.ReadFile(files, name)
			sum := sha256.Sum256(content)
			sums[name] = hex.EncodeToString(sum[:6])
		}
		return err
	})
	funcs := template.FuncMap{
		"asset": func(name string) string { return "/assets/" + name + "?v=" + sums[name] },
		"count": func(n int) string { return count(n) }, "rate": perSecond, "took": took, "span": span, "ago": ago, "clock": clock, "stamp": stamp, "utc": utc, "iso": iso,
		"short": short, "text": text, "plural": plural, "dict": dict, "links": links,
	}
	layout := template.Must(template.New("layout.html").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html"))
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		if base := path.Base(name); base != "layout.html" {
			p.templates[strings.TrimSuffix(base, ".html")] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, name))
		}
	}
	p.assets = serveAssets(files)
	return p
}

func sub(files embed.FS, dir string) fs.FS {
	inner, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	return inner
}

// serveAssets lets browsers keep the files: their addresses change with what is in
// them, and nothing in them is the account's.
func serveAssets(files fs.FS) http.Handler {
	serve := http.StripPrefix("/assets/", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "private, max-age=604800, immutable")
		serve.ServeHTTP(w, r)
	})
}

// isPart tells whether a page that is shown already asks for the part of itself
// that changes.
func isPart(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// render writes the page, or the part of it that changes.
func (p *pages) render(w http.ResponseWriter, r *http.Request, logger *slog.Logger, status int, name string, data frame) {
	whole := "layout.html"
	if isPart(r) {
		whole = "part"
	}
	var body bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&body, whole, data); err != nil {
		logger.Error("a page of the console can't be made", "page", name, "error", err)
		http.Error(w, "the page can't be shown; see the log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// page renders a page that was found.
func (c *Console) page(w http.ResponseWriter, r *http.Request, name, title string, view any) {
	c.pages.render(w, r, c.deps.Logger, http.StatusOK, name, c.frame(r, title, view))
}

// dict gives a template several values at once: name, value, name, value ….
func dict(pairs ...any) (map[string]any, error) {
	made := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("console: dict: %v is no name", pairs[i])
		}
		made[name] = pairs[i+1]
	}
	return made, nil
}
