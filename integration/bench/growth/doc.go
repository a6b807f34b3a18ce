// Package growth measures how cost grows with what there is: files in a directory, files on
// a disc, new files, sessions, sizes, depth.
//
//	Study      one thing that grows: its sizes, and what is done at each
//	 └─ Curve  the report of it
//	     └─ Line  one cost: numbers, the slope of their logarithms, and how much each costs
//
// A slope of 1 is linear, 0 constant, 2 quadratic. Small sizes cost what everything costs
// that happens once, so slopes begin low; what is judged is the slope at the end.
package growth
