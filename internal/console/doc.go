// Package console is the operator's view of the process: pages at the private
// listener that answer, in the order of asking, whether it works, what is stuck,
// what was given up, what happened to something, and what flows.
//
//	browser ──▶ headers ──▶ host, origin ──▶ token or session ──▶ page
//	                                                                │ snapshots, a second old at most
//	            registry, health, stages ◀── shared by all viewers ─┤
//	            letters, timeline (Kafka) ◀── asked for, bounded ───┘
//
// Pages are rendered here and need no script: links and forms do everything. With
// script, parts of a page renew themselves (htmx), and the last hour is drawn
// (uPlot); both libraries are in the binary, and nothing comes from elsewhere.
//
// The console decides nothing about letters or commands: internal/letters has the
// rules, and an action is carried out through a plan that names what it touches.
//
// It is served before Kafka is reached, so that a start that hangs can be looked
// at; what needs Kafka says that it is not there yet, until Connect.
package console
