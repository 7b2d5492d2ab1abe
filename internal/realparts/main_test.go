//go:build real

package realparts_test

import (
	"os"
	"testing"

	"github.com/ringbridge/ringbridge/internal/realparts"
)

var parts *realparts.Parts

func TestMain(m *testing.M) {
	os.Exit(realparts.Main(m, func(p *realparts.Parts) { parts = p }))
}
