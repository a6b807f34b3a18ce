// Package staging is the durable home of what was changed on a mounted disc and is not on
// it yet. It stores bytes and records; what the records mean is the caller's business.
//
// One directory per disc:
//
//	STATE/discs/<uuid>/
//	    disc.json      what the disc is and how to recognise it; replaced atomically
//	    lock           flock(2)ed by the process that has the store open, with its number
//	    meta.db        bbolt: inode and dentry records
//	    log-00000000   the data log, 1 GiB of its address space per file
//	    log-00000001   …
//	    commit/        files of a running commit, the caller's
//
// Create writes disc.json last, so a directory without it, and without data, is no store.
//
// # Data log
//
// All staged bytes live in one append-only address space. Append packs them without padding
// and without waiting for the disk. No address that a durable record may have named is ever
// given out again.
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
// Records name addresses of the log. A record must never become durable before the bytes it
// names, and bytes must never disappear before the last durable record that names them. From
// this follows the order of Commit:
//
//	Append ──► page cache
//	Commit:  1  fdatasync of every segment written since the last commit
//	         2  fsync of the directory, if segments were created
//	         3  one bbolt transaction with the records and the end of the log
//	            (pages, fdatasync, meta page, fdatasync)       ◄── the commit point
//	         4  in the background: blocks of ranges freed before the batch was begun
//
// Power lost before 3 leaves the records of the commit before, whose bytes nobody touched:
// they are overwritten in place only from Sealed on. Power lost during 4 leaves dead bytes,
// which Reclaim finds at the next mount. Bytes beyond the end that the last transaction
// recorded belong to no record; Open cuts them off.
//
// A failed fdatasync may drop dirty pages and report success the next time. After one, a
// Store commits nothing any more (ErrFailed) until it is opened again.
//
// # Space
//
// A freed range waits until a batch that was begun later is committed, and until every Pin
// taken before is released. Then it is dead: a segment without live bytes is deleted, other
// blocks become holes (fallocate PUNCH_HOLE). Dead ranges below 64 KiB wait for their
// neighbours to die, because a hole costs the same whatever its size; when the disk is full,
// they become holes, too.
//
// Append stops (ErrFull) while there is still some room on the file system, at most 64 MiB,
// so that deletions, and the burn that ends it all, can be recorded.
package staging
