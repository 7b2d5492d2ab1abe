package sandbox_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

const syncPath = user + "/message-sync"

func full(pairs ...string) string { return syncPath + query(append(pairs, "syncType", "FSync")...) }

func next(m messagePage, pairs ...string) string {
	return syncPath + query(append(pairs, "syncType", "ISync", "syncToken", m.SyncInfo.SyncToken)...)
}

func TestSyncLooksAsRecorded(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{OldConversations: true, DeliveredAfter: -1}, sandbox.Deps{})
	p.text(customer, "x")
	want := keysOf(t, sample("rc_message_sync_fsync_sms"))
	require.Equal(t, want, keysOf(t, string(p.call(http.MethodGet, full(), "").body)))
	got := p.call(http.MethodGet, next(p.messages(full())), "")
	require.Equal(t, without(keysOf(t, sample("rc_message_sync_isync_sms")), "records.to.location"), keysOf(t, string(got.body)))
}

func TestIncrementalSyncOverlaps(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	p.importMessage(sandbox.MessageImport{Text: "long ago"})
	c.move(6 * time.Second)
	p.importMessage(sandbox.MessageImport{Text: "just now"})
	c.move(4 * time.Second)
	first := p.messages(full())
	require.Equal(t, "just now,long ago", first.texts())
	require.Equal(t, "FSync", first.SyncInfo.SyncType)
	require.Equal(t, iso(c.at), first.SyncInfo.SyncTime)

	c.move(2 * time.Second)
	p.importMessage(sandbox.MessageImport{Text: "new"})
	second := p.messages(next(first))
	require.Equal(t, "new,just now", second.texts(), "what is within five seconds of the token comes again")
	c.move(10 * time.Second)
	require.Empty(t, p.messages(next(p.messages(next(second)))).texts())
	require.Equal(t, "new", p.messages(next(second)).texts(), "a token can be used again")
}

func TestSyncTellsOfChanges(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	read := p.importMessage(sandbox.MessageImport{Text: "read"})
	gone := p.importMessage(sandbox.MessageImport{Text: "gone"})
	purged := p.importMessage(sandbox.MessageImport{Text: "purged"})
	token := p.messages(full())
	c.move(time.Minute)
	p.store(read.ID, http.MethodPut, `{"readStatus":"Read"}`)
	p.store(gone.ID, http.MethodDelete, "")
	p.store(purged.ID, http.MethodDelete, "")
	p.store(purged.ID, http.MethodDelete, "")
	got := p.messages(next(token))
	require.Len(t, got.Records, 3, "each once, however often it changed")
	require.Equal(t, "Purged", got.Records[0].Availability)
	require.Equal(t, "Deleted", got.Records[1].Availability)
	require.Empty(t, got.Records[1].CreationTime, "id and availability is all there is")
	require.Equal(t, "read", got.Records[2].Subject)
	require.Equal(t, "read", p.messages(full()).texts(), "a full sync does not know what is gone")
}

func TestSyncKeepsToItsFrame(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{TokenLife: 24 * time.Hour}, sandbox.Deps{Now: c.now})
	for n := range 3 {
		p.importMessage(sandbox.MessageImport{Text: fmt.Sprint(n)})
		c.move(time.Hour)
	}
	p.importMessage(sandbox.MessageImport{Text: "fax", Type: "Fax"})
	first := p.messages(full("recordCount", "2", "messageType", "SMS"))
	require.Equal(t, "2,1", first.texts(), "the newest of them")
	require.True(t, first.SyncInfo.OlderRecordsExist)
	c.move(time.Minute)
	for _, m := range p.Messages() {
		_, err := p.EditMessage(m.ID, sandbox.MessageEdit{ReadStatus: sandbox.Read})
		require.NoError(t, err)
	}
	require.Equal(t, "2,1", p.messages(next(first, "recordCount", "1")).texts(), "neither older ones, nor faxes, nor as few as asked")
	c.move(6 * time.Second)
	wide := p.messages(next(first, "dateFrom", iso(c.at.Add(-24*time.Hour))))
	require.Equal(t, "2,1,0", wide.texts(), "unless the frame is widened")
	require.False(t, wide.SyncInfo.OlderRecordsExist)
	c.move(time.Minute)
	_, err := p.EditMessage(p.Messages()[0].ID, sandbox.MessageEdit{ReadStatus: sandbox.Unread})
	require.NoError(t, err)
	require.Equal(t, "0", p.messages(next(wide)).texts(), "which lasts")
}

func TestFullSyncLooksBackADay(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{Now: c.now})
	p.importMessage(sandbox.MessageImport{Text: "old", CreatedAt: c.at.Add(-25 * time.Hour)})
	got := p.messages(full())
	require.Empty(t, got.texts())
	require.True(t, got.SyncInfo.OlderRecordsExist)
	require.Equal(t, "old", p.messages(full("dateFrom", iso(c.at.Add(-48*time.Hour)))).texts())
}

func TestLostSyncTokens(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  sandbox.PlatformConfig
		lose func(p *platform, c *clock)
		code string
	}{
		"all expired":         {sandbox.PlatformConfig{}, func(p *platform, _ *clock) { p.ExpireSyncTokens() }, "MSG-333"},
		"with the other code": {sandbox.PlatformConfig{SyncTokenError: "CMN-101"}, func(p *platform, _ *clock) { p.ExpireSyncTokens() }, "CMN-101"},
		"too old":             {sandbox.PlatformConfig{SyncTokenLife: time.Hour}, func(_ *platform, c *clock) { c.move(time.Hour) }, "MSG-333"},
		"of before a reset":   {sandbox.PlatformConfig{}, func(p *platform, _ *clock) { p.Reset() }, "MSG-333"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			test.cfg.TokenLife = 24 * time.Hour
			p := loggedIn(t, test.cfg, sandbox.Deps{Now: c.now})
			token := p.messages(full())
			require.Equal(t, 200, p.call(http.MethodGet, next(token), "").status)
			test.lose(p, c)
			got := p.call(http.MethodGet, next(token), "")
			require.Equal(t, 400, got.status)
			require.Equal(t, test.code, got.code())
			require.Equal(t, 200, p.call(http.MethodGet, next(p.messages(full())), "").status)
		})
	}
}

func TestSenselessSyncs(t *testing.T) {
	p := loggedIn(t, sandbox.PlatformConfig{}, sandbox.Deps{})
	for name, q := range map[string]string{
		"no token": "?syncType=ISync", "an odd type": "?syncType=x", "an odd count": "?recordCount=x",
		"an odd token": "?syncType=ISync&syncToken=x",
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 400, p.call(http.MethodGet, syncPath+q, "").status)
		})
	}
}

// TestManyMessages is slow when an incremental sync reads everything there is.
func TestManyMessages(t *testing.T) {
	c := newClock()
	p := loggedIn(t, sandbox.PlatformConfig{TokenLife: 24 * time.Hour}, sandbox.Deps{Now: c.now})
	_, err := p.ImportMessages(sandbox.MessageImport{Count: 3000})
	require.NoError(t, err)
	c.move(6 * time.Second)
	got := p.messages(full())
	require.Len(t, got.Records, 3000)
	ids := p.Messages()
	for n := range 300 {
		c.move(6 * time.Second)
		_, err := p.EditMessage(ids[n*5].ID, sandbox.MessageEdit{ReadStatus: sandbox.Read})
		require.NoError(t, err)
		got = p.messages(next(got))
		require.Len(t, got.Records, min(2, n+1), "the change and the one before it, six seconds ago")
	}
}
