package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// unhurried is an account that takes more than five authentications a minute: each
// command is a process of its own, and makes one.
func unhurried() sandbox.Config {
	return sandbox.Config{Platform: sandbox.PlatformConfig{Limits: map[sandbox.RateGroup]int{sandbox.GroupAuth: -1, sandbox.GroupLight: -1}}}
}

func TestMessagesAreListedAndShown(t *testing.T) {
	w := &world{env: map[string]string{}}
	account := w.withAccount(t, unhurried())
	numbers := w.run(t, "messages", "numbers")
	require.Zero(t, numbers.code, numbers.err)
	require.Regexp(t, `\+12095550100 +sms,mms +DirectNumber`, numbers.out)
	require.Regexp(t, `\+18665550101 +- `, numbers.out)
	require.Len(t, lines(t, w.run(t, "messages", "numbers", "--json").out), 2)

	in, err := account.Platform().ImportMessages(sandbox.MessageImport{From: "+16505550111", Text: "one\x1b[2J\ntwo " + strings.Repeat("x", 200)})
	require.NoError(t, err)
	_, err = account.Platform().ImportMessages(sandbox.MessageImport{Direction: "Outbound", Count: 150})
	require.NoError(t, err)
	id := fmt.Sprint(in[0].ID)

	list := w.run(t, "messages", "list", "--direction", "inbound")
	require.Zero(t, list.code, list.err)
	require.Regexp(t, id+` +\d{4}-\S+Z +Inbound +Received +\+16505550111 +\+12095550100 +0 +one \[2J two x{20,}…`, list.out)
	require.Len(t, strings.Split(strings.TrimSpace(w.run(t, "messages", "list").out), "\n"), 101, "a hundred and the head")
	require.Len(t, lines(t, w.run(t, "messages", "list", "--limit", "0", "--json").out), 151)
	require.Len(t, lines(t, w.run(t, "messages", "list", "--number", "+16505550111", "--json").out), 1)

	got := w.run(t, "messages", "get", id)
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.out, `"id": `+id)
	require.Equal(t, 1, w.run(t, "messages", "get", "1,2").code)
	require.Contains(t, w.run(t, "messages", "get", "1").err, "status 404")
	for args, want := range map[string]string{
		"messages list --direction up":        "--direction: want inbound or outbound",
		"messages list --since later":         "--since: want",
		"messages list --since 1h --until 2h": "its beginning first",
	} {
		wrong := w.run(t, strings.Fields(args)...)
		require.Equal(t, 2, wrong.code, args)
		require.Contains(t, wrong.err, want)
	}
	delete(w.env, "RINGCENTRAL_CLIENT_ID")
	delete(w.env, "RINGCENTRAL_CLIENT_SECRET")
	delete(w.env, "RINGCENTRAL_JWT")
	require.Contains(t, w.run(t, "messages", "list").err, "the RingCentral platform is off")
}

func TestAnAttachmentIsDownloadedWholeOrNotAtAll(t *testing.T) {
	w := &world{env: map[string]string{}}
	account := w.withAccount(t, unhurried())
	made, err := account.Platform().ImportMessages(sandbox.MessageImport{Files: []sandbox.ImportFile{
		{Name: "../../../etc/photo.jpg", ContentType: "image/jpeg", Data: []byte("\xff\xd8 one")},
	}})
	require.NoError(t, err)
	two, err := account.Platform().ImportMessages(sandbox.MessageImport{Files: []sandbox.ImportFile{
		{Name: "a", ContentType: "text/plain", Data: []byte("A")}, {Name: "b", ContentType: "text/plain", Data: []byte("B")},
	}})
	require.NoError(t, err)
	dir := t.TempDir()
	t.Chdir(dir)

	got := w.run(t, "messages", "attachment", fmt.Sprint(made[0].ID))
	require.Zero(t, got.code, got.err)
	require.Equal(t, "photo.jpg: 6 bytes, image/jpeg\n", got.out)
	content, err := os.ReadFile(filepath.Join(dir, "photo.jpg"))
	require.NoError(t, err)
	require.Equal(t, "\xff\xd8 one", string(content))
	require.Contains(t, w.run(t, "messages", "attachment", fmt.Sprint(made[0].ID)).err, "photo.jpg is there already")
	require.Zero(t, w.run(t, "messages", "attachment", fmt.Sprint(made[0].ID), "--force").code)

	which := w.run(t, "messages", "attachment", fmt.Sprint(two[0].ID))
	require.Equal(t, 1, which.code)
	require.Contains(t, which.err, "say which attachment")
	second := fmt.Sprint(two[0].Attachments[len(two[0].Attachments)-1].ID)
	require.Equal(t, "B", w.run(t, "messages", "attachment", fmt.Sprint(two[0].ID), second, "--output", "-").out)

	_, err = account.AddFault(sandbox.Fault{Route: "GET /restapi/v1.0/account/{account}/extension/{extension}/message-store/{id}/content/{attachment}", Status: http.StatusNotFound})
	require.NoError(t, err)
	require.Equal(t, 1, w.run(t, "messages", "attachment", fmt.Sprint(two[0].ID), second, "--output", "half").code)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, names, 1, "no part is left behind")
}

func TestTheTokenOfADownloadGoesToNoOtherHost(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	w := &world{env: map[string]string{}}
	account := w.withAccount(t, sandbox.Config{Platform: sandbox.PlatformConfig{MediaURL: other.URL}})
	made, err := account.Platform().ImportMessages(sandbox.MessageImport{Files: []sandbox.ImportFile{{Name: "a", ContentType: "image/png", Data: []byte("A")}}})
	require.NoError(t, err)
	got := w.run(t, "messages", "attachment", fmt.Sprint(made[0].ID), "--output", "-")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "on another host")
	require.Zero(t, asked.Load())
}
