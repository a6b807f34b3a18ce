// Package harness runs the real burnfs the way a user does: the binary in
// processes of its own, mounts that the kernel made, tools from the
// distribution. The test process itself never serves a mount, so it may look
// into one without the deadlocks of a server that waits for itself.
//
//	Lab                 one test's workshop: a directory, a state directory, a binary
//	 ├─ Disc            a disc file in it, of one of the media
//	 │   └─ Mount       the disc mounted: a daemon's process, a mount point
//	 └─ Model           a local directory to which everything is done as well,
//	                    and one reference copy of it for every session
//
// When a test ends, its lab looks for what was left behind: mounts, daemons,
// sockets, locks, lines in a log that tell of a panic. Whatever is found fails
// the test, and is then cleared away so that the next one is not disturbed.
//
// Random choices come from [Lab.Rand], whose seed is logged; `-seed` repeats a
// run.
package harness
