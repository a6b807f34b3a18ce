// Package recorddisk is a file system for tests of power cuts. Programs use it through the
// kernel like any other, databases that map their files included; it notes every operation
// that changes something, in one order, and afterwards tells what a disk could hold had the
// power been cut behind any of them.
//
//	test process                                  child process
//	┌───────────────────────────┐   /dev/fuse   ┌──────────────────────────┐
//	│ code under test: write,   │ ────────────▶ │ Image: what it shows now │
//	│ fsync, rename, mmap …     │               │ []Op:  what was done     │
//	│ Disk.Mark                 │ ◀──────────── │                          │
//	└───────────────────────────┘    History    └──────────────────────────┘
//
//	History ──▶ Player: Next, Next, …  ──▶ Player.State ──▶ Image.Export to a directory
//
// A process must not touch a mount that it serves itself, so the child serves and the test
// uses it. The child is the test's own binary; see [Main].
//
// # What survives
//
// A file system promises to keep the bytes of a file from fsync(2) of the file, and a name
// from fsync of its directory. What else it keeps is its own affair, so a State is made with
// one Survival for each directory in the root of the disk, where a test puts what has a
// power supply of its own:
//
//	All         everything: the process was killed, the machine lives
//	Synced      only what was promised
//	Journalled  names, sizes that truncate(2) set and holes as they were last; of bytes only
//	            what was promised. So does a journal of metadata that is written in time.
//	Chance      of what was not promised anything may survive: each write sector by sector,
//	            names in the order of their changes or in none
package recorddisk
