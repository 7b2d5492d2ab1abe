//go:build real

package e2e_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/deadletter"
	"github.com/ringbridge/ringbridge/internal/sandbox"
	"github.com/ringbridge/ringbridge/schemas"
)

// TestTheConsoleInABadNight walks the operator's questions, in the order of asking,
// in a browser, on the program in trouble: from page to page by the keyboard alone.
func TestTheConsoleInABadNight(t *testing.T) {
	w := newTroubledWorld(t)
	bridge := w.start(w.public, freePort(t))
	w.giveUp()
	w.fail()
	b := newBrowser(t, bridge.admin)

	// Is it working?
	b.open("/")
	b.shows("main", "Not working", "the API is down, commands are kept", "The subscription is not kept", "What to do:", "open: outage, probing")
	b.pictures("working")

	// What is stuck?
	b.press(`nav a[href="/stuck"]`, "\r")
	b.shows("main", "stuck", "looking up", "503", stuckNumber, "waiting-0")
	b.pictures("stuck")

	// What was given up?
	b.press(`nav a[href="/letters"]`, "\r")
	b.shows("#count", strconv.Itoa(letterReasons*perReason)+" letters")
	for _, reason := range []string{"expired", "forbidden", "not_found", "rejected"} {
		b.shows("main", strconv.Itoa(perReason)+" "+reason)
	}
	b.pictures("letters")
	b.press("#r-rejected", "\r")
	b.shows("#count", strconv.Itoa(perReason)+" letters")
	b.press("tbody tr:first-child th a", "\r")
	b.shows("main", "rejected", "422", "answer rejected-", "What the ledger holds of the command", "DEAD_LETTERED")
	b.pictures("letter")

	// What happened to this?
	b.press(`nav a[href="/find"]`, "\r")
	b.press("#q", "rejected-7\r")
	b.shows("main", "command: CreateContent", "attempt 1 begins", "given up: rejected, HTTP 422", "dead letter: rejected")
	b.pictures("find")
	b.open("/find?q=" + w.parents[7].ThreadID)
	b.shows("main", "rejected-7", "forbidden-7", "rejected-27")

	// What flows?
	b.press(`nav a[href="/flow"]`, "\r")
	b.shows("#moments", "attempt", "waiting-")
	b.pictures("flow")
	b.live(w)

	w.mend()
	w.sendBack(b)
	w.withoutScript(b)
	b.quiet()
}

// withoutScript asks the questions again with scripts off, and gives one letter up: one of those that have expired again.
func (w troubledWorld) withoutScript(b *browser) {
	w.t.Helper()
	b.scripts(false)
	defer b.scripts(true)
	for path, shown := range map[string]string{
		"/": "Is it working?", "/stuck": "What is stuck?", "/find?q=rejected-7": "dead letter: rejected", "/flow": "replies.results",
	} {
		b.open(path)
		require.False(w.t, ask(b, chromedp.Evaluate[bool](`document.documentElement.classList.contains("js")`)), "scripts run")
		b.shows("main", shown)
	}
	b.reopen("/letters?reason=expired", "#count", strconv.Itoa(perReason)+" letters")
	b.click(`tbody tr:first-child input[name="which"]`)
	b.click(`button[value="discard selected"]`)
	b.shows("main", "1 letter would be given up for good")
	b.press("#name", "Ada")
	b.click("main form button[type=submit]")
	b.shows("main", "1 letter discarded by Ada")
	b.reopen("/letters?reason=expired", "#count", strconv.Itoa(perReason-1)+" letters")
}

// live sees events come while the page is open, and none while it is paused.
func (b *browser) live(w troubledWorld) {
	b.t.Helper()
	p := w.box.Platform()
	arrive := func(text string) {
		_, err := p.ImportMessages(sandbox.MessageImport{Text: text})
		require.NoError(b.t, err)
	}
	moments := func() int {
		return ask(b, chromedp.Evaluate[int](`document.querySelectorAll("#moments .moment").length`))
	}
	b.open("/flow?topic=messages")
	require.Zero(b.t, moments())
	arrive("the first")
	w.eventually(1, time.Minute, moments, "events on the page")
	b.click("#pause")
	arrive("while it is paused")
	w.eventually(2, time.Minute, func() int { return len(w.messages()) }, "texts on the topic")
	require.Equal(b.t, 1, moments())
	b.click("#pause")
	w.eventually(2, time.Minute, moments, "events on the page")
	require.Contains(b.t, b.text("#moments"), "message.received")
}

// sendBack redrives the letters from the page, reason by reason, and counts on both
// sides: one more result each, and no answer twice.
func (w troubledWorld) sendBack(b *browser) {
	w.t.Helper()
	before := w.results()
	for _, reason := range []deadletter.Reason{deadletter.Forbidden, deadletter.NotFound, deadletter.Rejected, deadletter.Expired} {
		b.open("/letters?reason=" + string(reason))
		b.shows("#count", strconv.Itoa(perReason)+" letters")
		const everything, confirm = `button[value="send-back all"]`, "main form button[type=submit]"
		would := fmt.Sprintf("%d letters would go back", perReason)
		if reason == deadletter.Forbidden { // the first, without a mouse
			b.press(everything, "\r")
			b.shows("main", "What would happen", would)
			b.pictures("plan")
			b.press("#name", "Ada")
			b.press(confirm, "\r")
		} else {
			b.click(everything)
			b.shows("main", "What would happen", would)
			b.click(confirm)
		}
		b.shows("main", fmt.Sprintf("%d letters sent back by Ada", perReason))
	}
	again := func() (n int) {
		for id, results := range w.results() {
			if len(results) > len(before[id]) && len(before[id]) > 0 {
				n++
			}
		}
		return n
	}
	w.eventually(letterReasons*perReason, waitLong, again, "results of letters that were sent back")
	effects := map[string]int{}
	for _, c := range w.box.Contents() {
		effects[string(c.Body)]++
	}
	for id, results := range w.results() {
		reason, _, _ := strings.Cut(id, "-")
		if len(before[id]) == 0 {
			continue // not a letter: it waited for the API
		}
		require.Len(w.t, results, 2, id)
		want := 1
		if reason == string(deadletter.Expired) {
			want = 0
			require.Equal(w.t, "expired", *results[1].Reason)
		} else {
			require.Equal(w.t, schemas.ReplyStateSucceeded, results[1].State, id)
		}
		require.Equal(w.t, want, effects["answer "+id], id)
	}
}
