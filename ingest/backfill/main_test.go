package backfill_test

import (
	"testing"

	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/schemas"
)

var codec *schemas.Codec

func TestMain(m *testing.M) { ingesttest.Main(m, &codec) }
