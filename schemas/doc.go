// Package schemas is the home of everything Avro: the schemas of Ringbridge's
// topics, their Go types, the codec, and the schema registry.
//
//	*.avsc ──go generate──▶ types_gen.go
//	   │
//	   └──Text──▶ Registry.Prepare ──▶ Codec ──Encode──▶ 0x00 · schema id · Avro binary
//	                (register or look up,        ◀─Decode──
//	                 check compatibility)
//
// The schemas are the binary's own: the registry is asked for their ids, never
// for their text. Reading uses the writer's schema, fetched by the id in the
// value and resolved against the binary's own, so that a value of an older or a
// newer schema can be read.
//
// Nothing outside this package knows which Avro library is used, and the package
// knows no stage: it neither reads nor writes Kafka.
package schemas

//go:generate go run ./internal/generate
//go:generate go run ./internal/handbook
