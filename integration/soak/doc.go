// Package soak lets burnfs work for as long as one likes under everything that
// can happen to it at once, and compares what it holds with a directory of the
// local disk that underwent the same.
//
//	    actor 0   actor 1   …   shared          one goroutine each, but for shared
//	       │         │            │             an Op is one change of the tree
//	┌──────▼─────────▼────────────▼──────┐
//	│ journal: every Op, in one order    │──▶ ops.log
//	└──┬──────────────────────────────┬──┘
//	the mount: a real daemon       the mirror: a local directory
//	   ▲                              │ results must be the same
//	   │                              │
//	conductor: sync, umount, mount, kill -9 in any phase of a commit
//
// An actor owns a subtree, so the order of what happens there is known. The
// shared subtree belongs to whoever holds its lock, and moves from one subtree
// to another hold the locks of both.
//
// # After a kill
//
// The daemon may have lost the last changes, but not what was fsynced, and not
// one change while a later one of the same subtree is there. So each subtree
// must be what the mirror was after some number of its actor's operations, at
// least all up to the last fsync that returned:
//
//	base ──op──op──fsync──op──op──op──✗ kill
//	                 └────┴───┴───┴── one of these
//
// The journal is replayed from the last copy of the mirror, the base, to find
// which, for all actors together: a move between subtrees happened in both or
// in neither. The mirror is made anew up to there, and everything goes on.
//
// # Times
//
// The local disk cannot be told when the mount did something. A time of the
// mirror from the time of the test only says that the mount's must lie there,
// too; at each comparison the mirror takes over what the mount says, which must
// then stay so to the nanosecond. The same goes for inode numbers and ctimes.
package soak
