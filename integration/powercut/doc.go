// Package powercut proves that no power cut loses what was promised. Its tests let burnfs
// work on a disk that records every operation (package recorddisk), build what that disk can
// hold after each of them, and look what burnfs makes of it:
//
//	work on a recorded disk ──▶ history ──▶ for each operation:
//	   state after a kill, after a power cut, with parts of what was not synced
//	        └──▶ check, open, compare with the model, go on, check again
//
// TestStaging does it to the tree and its staging, TestCommit to a whole commit with the disc
// in an emulated drive, and to what finishes a commit that was cut.
//
// All cuts of a kill, of a strict power cut and of a journalling file system are made; of the
// states that chance makes, -chances per operation. With -whole more of everything is done.
package powercut
