// Package failpoint names the places where a crash hurts most: between two durable steps. The crash harness kills or
// freezes a process there, and counts how often each was passed.
//
// All of it is compiled in with the build tag failpoints alone. Without the tag, which is how the program is shipped, Hit
// is empty and inlined away, Off is a constant false, and Haste is 1.
//
// With the tag the harness sets, for that one process:
//
//	RINGBRIDGE_FAILPOINT=consume/called:3:kill    at the third passing, SIGKILL (or stop: SIGSTOP) itself
//	RINGBRIDGE_FAILPOINT_LOG=/path                a line for each passing, "!" before the one that fired
//	RINGBRIDGE_FAILPOINT_OFF=dedupe               a safeguard to leave out, to see that the harness catches it
package failpoint
