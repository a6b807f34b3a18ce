// Package commit turns a frozen tree into a session on the disc.
//
//	frozen tree ──Make──▶ Plan: tree.img, files, dirs   (on the local disk,
//	                        │                            journaled by the caller)
//	                        ├──Burn────▶ recorder ──▶ disc
//	                        ├──Verify──▶ the same stream again, compared with
//	                        │            what the disc gives back
//	                        └──Publication──▶ tree.Publish
//
// A plan holds everything that the session's bytes depend on: the directories
// as they will be recorded, and where each new byte of each file is staged.
// The disc is not read any more once it is made, and the stream that it
// yields is the same each time, in this process or a later one. So a burn
// that was interrupted goes on by producing the stream again and leaving out
// what the drive already has.
//
// The plan's files, in a directory of their own:
//
//	tree.img  the session's blocks up to the first file's data
//	files     a CBOR sequence (RFC 8742) of every regular file, in the order
//	          of the checksum array
//	dirs      a CBOR sequence of every directory and its extent
//	carry     bytes of older sessions that have to be written again
//	index     what was read of the frozen tree, while the plan is made
//	tail      what follows the data, kept from burning to verifying
package commit
