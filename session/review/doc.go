// Package review lets package check look at every session of a disc.
//
//	│ 0: copy of 3's descriptors │ 32: session 1 │ session 2 │ session 3 │
//	  └ place 4                    └ place 1       └ place 2   └ place 3
//
// The places are the sessions that package history finds, oldest first, and on an
// overwritable medium the descriptors at block 16, from which other programs read
// the newest one. A session that cannot be checked because there is nothing that
// could be is a place with a finding of its own.
package review
