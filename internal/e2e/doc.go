// Package e2e drives the program as its users do: the real binary, a real Kafka
// and a real schema registry, an account of the sandbox, real signals. What the
// tests claim, they count on both sides: what the account holds, and what a
// reader of the topics sees.
//
// All of that is behind the build tag "real"; make test runs it.
package e2e
