// Package timeline answers "what happened to this?": it finds what the topics
// hold of a conversation, a content, a message or a command, and tells it in the
// order of time.
//
//	arrival ──▶ event                      what came in, and what it became
//	command ──▶ attempt ──▶ … ──▶ result   a reply, each call for it, and how it ended
//	                 └──────────▶ letter   what was given up
//
// It also follows the topics as they grow.
//
// It only reads: committed records, without a group, so that it moves nobody's
// offsets. How much it reads, keeps and waits for is bounded, and it says where
// it stopped. It hides nothing; Mask does, for those who may not see what
// customers write.
package timeline
