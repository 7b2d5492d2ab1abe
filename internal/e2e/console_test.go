//go:build real

package e2e_test

import (
	"testing"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

func TestTheConsole(t *testing.T) {
	w, public := newPlatformWorld(t, sandbox.PlatformConfig{})
	bridge := w.start(public, freePort(t))
	b := newBrowser(t, bridge.admin)
	b.open("/")
	b.pictures("working")
	b.quiet()
}
