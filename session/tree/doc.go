// Package tree is the merged tree that a mount shows: the base (the tree of
// the last session, read only, read when looked at) under an overlay of
// everything that changed since.
//
//	        names                                 inodes
//	┌───────────────────────┐            ┌──────────────────────┐
//	│ overlay: (dir, name)  │── inode ──▶│ Node: attributes,    │
//	│   → inode or whiteout │            │ xattrs, extents      │
//	└──────────┬────────────┘            └─────┬────────┬───────┘
//	 not there │                        staged │        │ on disc, hole
//	┌──────────▼────────────┐            ┌─────▼────┐ ┌─▼───────┐
//	│ base: directory record│            │ staging  │ │ the disc│
//	└───────────────────────┘            └──────────┘ └─────────┘
//
// # Inode numbers
//
// The inode number of a file is the file serial number of its PX entry
// (RRIP 4.1.1), so that it is the same before a commit, after it, and on every
// later mount. Discs that burnfs did not write last have no such numbers to
// trust. There a file's number is the byte address of its directory record
// divided by 32: records are longer than that, so it is unique, and on any
// medium of at most 2^26 blocks it fits the 32 bits of PX, so that the first
// session of ours records just that number. New numbers come from a counter
// that starts above all of these.
//
// # Changes and generations
//
// Each change gets the next change number. A record of the overlay carries
// the number of its last change. A commit freezes the tree at one number:
// records up to it are in the new session and are dropped when that session
// becomes the base; later ones stay and are carried over to the new base.
//
//	Freeze   flush ─▶ gate: copy the rest, note the number ─▶ flush ─▶ snapshot
//	                  ▲ changes wait here
//	Publish  flush ─▶ records over the new base, one transaction ─▶ gate: nodes follow ─▶ flush
//	                                                                ▲ and here
//
// Neither waits for a disk or the disc while changes do. What is frozen is read
// from the base and from the snapshot, never from nodes, so that nothing that is
// changed meanwhile has to be kept apart; no staged byte is overwritten in place
// either, so that files need not be copied (by reflink or otherwise).
//
// # Locks
//
// Tree.flushMu is held for a flush, a freeze and a publication, and comes first. Sync
// takes it for those only who lead a flush (together.go).
// Tree.gate is held for reading by every change and for writing by the moment of
// a freeze or a publication. Tree.mu guards names: entries, whiteouts, parents,
// the table of nodes. Node.mu guards one inode. Tree.changes.mu guards the sets
// of what is not flushed yet and is a leaf. They are taken in that order; of two
// nodes the parent is taken first, and unrelated nodes are never held together.
// The disc is read for a directory with none of them held.
package tree
