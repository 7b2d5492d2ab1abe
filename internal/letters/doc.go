// Package letters is what can be done with dead letters: list them, show one
// whole, send them back, discard them. The command line and every other face of
// the program use it, so that they follow the same rules.
//
//	           ┌── sent back ──▶ redriven     (what comes back is a new letter, one round older)
//	waiting ───┼── discarded ──▶ discarded    (stays on the topic until retention deletes it)
//	  ▲        ├── its command succeeded meanwhile ──▶ succeeded   (can be discarded)
//	a letter   └── sent back MaxRounds times before ──▶ set aside   (can be discarded)
//
// A topic can only be appended to, so what became of a letter is remembered
// beside it: in the committed offsets of two consumer groups (see memory). Only
// waiting letters are sent back; redriven and discarded are final.
//
// What is to be done is planned first. A plan names its letters; carrying it out
// touches no other, above all none that came after it. Letters are read as they
// are needed, one at a time: the memory that is taken is a few dozen bytes a
// letter, however large their values.
//
// The package prints nothing and asks nobody: it says what it would do, and does
// what it is told.
package letters
