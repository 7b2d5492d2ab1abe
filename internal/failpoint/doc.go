// Package failpoint names the places where a crash hurts most: between two durable steps. The crash harness kills or
// freezes a process there, and counts how often each was passed.
//
// All of it is compiled in with the build tag failpoints alone. Without the tag, which is how the program is shipped, Hit
// and Durable are empty and inlined away, Off is a constant false, Fail a constant nil, and Haste is 1.
//
// With the tag the harness sets, for that one process:
//
//	RINGBRIDGE_FAILPOINT=consume/called:3:kill    at the third passing, SIGKILL (or stop: SIGSTOP) itself
//	RINGBRIDGE_FAILPOINT_LOG=/path                a line for each passing, "!" before the one that fired
//	RINGBRIDGE_FAILPOINT_OFF=dedupe               a safeguard to leave out, to see that the harness catches it
//	RINGBRIDGE_FAILPOINT_FAIL=/path               while this file names a call, it fails as on a full disk
//	RINGBRIDGE_FAILPOINT_DURABLE=/path            a line for each fsync: how much of which file is durable
//
// The last is for a power cut. The kernel keeps what a killed process has written; a harness that cuts every file to
// its durable length makes it lose what was not fsynced.
package failpoint
