// Package shelf is where the tests of all packages put the discs that they wrote,
// for the judges that come after them.
//
//	a test of any package              burnfs/integration/agree        burnfs/integration/kernel
//	     │ Put, when it ends                  │ reads them with             │ mounts them with
//	     ▼                                    ▼ foreign programs            ▼ the kernel's isofs
//	$BURNFS_SHELF/burnfs.session/TestFiveSessions-bd-r/disc.img           the disc
//	                                                   disc.img.medium    what the emulator knows of it
//	                                                   disc.img.agreed    what the judges agreed on
//
// Where the environment variable is not set nothing is put anywhere, and where it
// is, a test does nothing more than this: what it takes to judge a disc is paid once,
// after all tests, and for one disc of each test and medium: of the subtests that made
// one under the same name, it is that of the last one by name. With BURNFS_SHELF_ALL
// each of them is kept. `make test` sets the variable.
//
// Every package may import this one in its tests, because it imports none of burnfs.
package shelf
