// Package bootable lets a disc that can be booted stay so when a further session
// is recorded.
//
//	earlier session ──Read──▶ Setup ──Continue──▶ image.Options: system area,
//	                                     ▲        boot record, catalogue
//	                   the new tree ─────┘
//
// Addresses in a boot catalogue count from the beginning of the medium, and no
// block of an earlier session is ever written again. So the new session repeats
// the boot record, and everything is found as before, whether catalogue and images
// are files of the tree or not.
//
// A boot image is known by the path that it has in the earlier session. What the
// new tree has there decides:
//
//	the same blocks        they are booted
//	a file of other bytes  the new ones are booted: a new catalogue is recorded,
//	                       which names them, and what the old image was told of
//	                       its place the new one is told, too (Patch)
//	nothing, or no file    the old blocks are booted, also if that file has
//	                       another name now
//
// The catalogue itself is not known by its path: a file that shows it is a file
// like any other. A new catalogue has no name in the tree.
//
// The system area is repeated, as xorriso does. The partition tables in it are not
// adjusted: partitions keep their beginnings and ends.
package bootable
