package spool_test

import (
	"log"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/ingest/ingesttest"
	"github.com/ringbridge/ringbridge/schemas"
)

var codec *schemas.Codec

func TestMain(m *testing.M) {
	var err error
	if codec, err = ingesttest.NewCodec(); err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m)
}
