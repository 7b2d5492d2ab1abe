// Package realparts starts the real things that a test's claim is about: an Apache Kafka broker, a schema
// registry, and a decoder of Avro that shares no code with ours. Tests that use it carry the build tag "real".
//
// The parts are Java programs, pinned in deploy/local/pom.xml and laid out by deploy/local/fetch; here nothing is
// fetched, and a part that is not there is an error, never a skipped test. Each part listens on a free loopback
// port, writes its log into the folder it was given, and is ready when its start function returns.
//
//	StartKafka ──▶ ready ──Stop (SIGTERM)──▶ ended ──Restart──▶ ready, same address, same data
//	                 └─────Kill (SIGKILL)──────▲
//
// A package with such tests usually starts one pair for all of them:
//
//	func TestMain(m *testing.M) {
//		os.Exit(realparts.Main(m, func(p *realparts.Parts) { parts = p }))
//	}
//
// It deliberately knows nothing of Ringbridge: no topics, no schemas, no client options.
package realparts
