// Package staging is the durable home of what was changed on a mounted disc and
// is not on it yet.
//
// One directory per disc:
//
//	STATE/discs/<uuid>/
//	    disc.json      what the disc is and how to recognise it; replaced atomically
//	    lock           flock(2)ed by the process that has the store open
//	    meta.db        bbolt: inode and dentry records, opaque to this package
//	    log-00000000   the data log, 1 GiB of its address space per file
//	    log-00000001   …
//	    commit/        files of a running commit, owned by the caller
//
// # Data log
//
// All staged bytes live in one append-only address space. Append packs them without
// padding and without waiting for the disk; an address is never used twice. Freed
// ranges become holes in the segment files (fallocate PUNCH_HOLE), and a segment
// without live bytes is deleted.
//
//	address   0          1 GiB      2 GiB        Sealed      End
//	          ├──────────┼──────────┼──────────────┼──────────┤
//	          │ segment 0│ (deleted)│░░ segment 2 ░│░░░░░░░░░░│
//	          └──────────┴──────────┴──────────────┴──────────┘
//	           ← named by durable records, or dead →← no durable record
//	                                                 names these yet →
//
// # Commit
//
// Records name addresses of the log. A record must never become durable before the
// bytes it names, and bytes must never disappear before the last durable record that
// names them. That is the whole order of Commit:
//
//	Append ──► page cache
//	Commit:  1  fdatasync of every segment written since the last commit
//	         2  fsync of the directory, if segments were created
//	         3  one bbolt transaction with the records and the end of the log
//	            (bbolt: pages, fdatasync, meta page, fdatasync)  ◄── the commit point
//	         4  ranges freed before the batch was begun: punch holes, delete segments
//
// Power lost before 3 leaves the records of the commit before, whose bytes nobody
// touched: in-place writes go only to addresses at or above Sealed. Power lost during
// 4 leaves dead bytes, which Reclaim finds at the next mount. Bytes beyond the end
// that the last transaction recorded belong to no record; Open cuts them off.
//
// A failed fdatasync may drop dirty pages and report success the next time. After one,
// a Store commits nothing any more (ErrFailed) until it is opened again.
package staging
