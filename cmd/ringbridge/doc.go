// Command ringbridge is an event-streaming bridge between RingCentral's
// messaging APIs and Kafka.
//
// This package joins what the others make: it reads the environment, starts the
// stages in order and stops them in the reverse order, and offers the commands
// of an operator. No stage's logic is here.
//
//	main.go          signals and exit status
//	command.go       the command tree; one file a subcommand beside it
//	config.go        what can be set; settings.go reads it, settings_help.go explains it
//	run.go           the life of the process; stages.go says what each stage needs
//	admin.go         the private listener: liveness, readiness, metrics, status page
//	embedded_*.go    the broker and the registry for trying out
//	demo*.go         everything in one process, with traffic
package main
