// Package integration tests burnfs as a whole: the real binary, real mounts, and
// programs of other people that read and continue the discs. There is no code of
// the product here.
//
//	harness    runs the binary, mounts, crashes it, finds what is left behind
//	manifest   describes a tree so that two descriptions can be compared
//	judge      one file per foreign program: what it says is on the disc
//	shelf      where the tests of all packages put the discs that they wrote
//	agree      all judges read those discs, and agree (make judges)
//	posix      asks whether a mount behaves as a local file system does
//	iscsi      presents an emulated drive to a real kernel
//	rules      the rules of the code base that can be checked: directions of imports, …
//	bench      how long the usual things take
//
// The tests need root, /dev/fuse and the programs that `make test` installs.
package integration
