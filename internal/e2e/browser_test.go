//go:build real

package e2e_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

// screenshots is where the pages' pictures go, below the checkout: the artifact
// that people look at.
const screenshots = "../../.artifacts/console"

// pageWait is more than any page takes on a busy machine; a test that waits so
// long has failed.
const pageWait = time.Minute

// A browser is one tab of a Chromium that reaches this machine alone.
type browser struct {
	t      *testing.T
	ctx    context.Context // of the tab: chromedp keeps it there
	base   string
	mu     sync.Mutex
	faults []string // what the browser complained of: scripts, the policy of their sources, answers
}

// newBrowser opens a tab for a bridge's console.
func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	path, err := realparts.Browser(t.Context())
	require.NoError(t, err)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, // a container has no namespaces to give
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.WSURLReadTimeout(pageWait))
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx, base: base}
	messages := chromedp.Console(ctx)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError {
				b.mu.Lock()
				b.faults = append(b.faults, m.String())
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		closeTab()
		end()
		<-heard
	})
	b.look(1280, "light")
	return b
}

// do runs steps, within pageWait together.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWait)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// ask runs a step that has an answer.
func ask[T any](b *browser, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageWait)
	defer cancel()
	answer, err := chromedp.Run(ctx, step)
	require.NoError(b.t, err)
	return answer
}

// look sets the window's width and whether the reader likes it light or dark.
func (b *browser) look(width int64, scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	b.do(chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, media)
		return err
	}))
}

// scripts lets pages run scripts, or not: those of the next page on.
func (b *browser) scripts(on bool) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// open goes to a path of the console.
func (b *browser) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base+path), chromedp.WaitReady(chromedp.CSS("body")))
}

// text is what a person reads of the elements that a selector finds.
func (b *browser) text(selector string) string {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	require.NoError(b.t, err)
	return ask(b, chromedp.Evaluate[string](`Array.from(document.querySelectorAll(`+string(quoted)+`), e => e.innerText).join("\n")`))
}

// shows waits until an element's text holds each of the parts: the pages renew
// themselves.
func (b *browser) shows(selector string, parts ...string) {
	b.t.Helper()
	for deadline := time.Now().Add(pageWait); ; time.Sleep(200 * time.Millisecond) {
		text := b.text(selector)
		missing := slices.IndexFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
		if missing < 0 {
			return
		}
		require.True(b.t, time.Now().Before(deadline), "%s shows no %q, but:\n%s", selector, parts[missing], text)
	}
}

// reopen opens a page until an element's text holds this: without script it does not renew itself.
func (b *browser) reopen(path, selector, part string) {
	b.t.Helper()
	text := ""
	for deadline := time.Now().Add(pageWait); !strings.Contains(text, part); time.Sleep(200 * time.Millisecond) {
		require.True(b.t, time.Now().Before(deadline), "%s shows no %q, but:\n%s", selector, part, text)
		b.open(path)
		text = b.text(selector)
	}
}

// click clicks what a person would, and waits for the page that follows.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)), chromedp.WaitReady(chromedp.CSS("body")))
}

// press goes to an element by the keyboard alone, as one does without a mouse, sees
// where it is, and presses a key there.
func (b *browser) press(selector, keys string) {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	require.NoError(b.t, err)
	const most = 500 // elements of a page
	for range most {
		b.do(chromedp.KeyEvent("\t"))
		if ask(b, chromedp.Evaluate[bool](`document.activeElement.matches(`+string(quoted)+`)`)) {
			seen := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`))
			require.NotEqual(b.t, "none", seen, "%s has the focus, and nobody sees it", selector)
			b.do(chromedp.KeyEvent(keys), chromedp.WaitReady(chromedp.CSS("body")))
			return
		}
	}
	require.FailNow(b.t, "not to be reached by the keyboard", selector)
}

// walk goes through the whole page by the keyboard and fails unless it comes to everything that can be acted upon, and sees it there.
func (b *browser) walk(name string) {
	b.t.Helper()
	const acted = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter(e => !e.disabled && e.checkVisibility())`
	n := ask(b, chromedp.Evaluate[int](`document.getElementById("pause")?.click(); // what is replaced is not come to
		window.walked = new Set(); window.unseen = [];
		document.addEventListener("focusin", event => {
			walked.add(event.target);
			if (event.target.id !== "main" && getComputedStyle(event.target).outlineStyle === "none") unseen.push(event.target.outerHTML.slice(0, 200));
		});
		`+acted+`.length`))
	require.NotZero(b.t, n, name)
	for range n + 10 { // what scrolls is come to as well
		b.do(chromedp.KeyEvent("\t"))
	}
	missed := ask(b, chromedp.Evaluate[[]string](acted+`.filter(e => !walked.has(e)).map(e => e.outerHTML.slice(0, 200))`))
	require.Empty(b.t, missed, "%s: not to be reached by the keyboard", name)
	require.Empty(b.t, ask(b, chromedp.Evaluate[[]string](`unseen`)), "%s: has the focus, and nobody sees it", name)
}

// pictures takes the page wide and narrow, light and dark, and looks in each for
// serious faults of accessibility and for what is wider than the window. Then it walks it.
func (b *browser) pictures(name string) {
	b.t.Helper()
	require.NoError(b.t, os.MkdirAll(screenshots, 0o755))
	for size, width := range map[string]int64{"wide": 1280, "narrow": 360} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, scheme)
			shot := ask(b, chromedp.FullScreenshot(100))
			where := name + "-" + size + "-" + scheme
			require.NoError(b.t, os.WriteFile(filepath.Join(screenshots, where+".png"), shot, 0o600))
			b.accessible(where)
			wider := ask(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
			require.LessOrEqual(b.t, wider, 0, "%s at %d pixels has to be moved sideways", name, width)
		}
	}
	b.look(1280, "light")
	b.walk(name)
}

//go:embed testdata/axe-4.14.1.min.js
var axe string

// barrier is a fault that keeps people out.
type barrier struct {
	ID, Impact, Help string
	Nodes            []string
}

// accessible fails for each serious fault that axe-core finds.
func (b *browser) accessible(where string) {
	b.t.Helper()
	ask(b, chromedp.Evaluate[bool](axe+"; true"))
	found := ask(b, chromedp.Evaluate[[]barrier](`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => n.html)})))`, chromedp.EvalAwaitPromise))
	require.Empty(b.t, found, where)
}

// quiet fails for what the browser complained of.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.faults)
}
