// Package mounted is the life of a mounted disc from the moment it is served
// until the daemon lets go of it.
//
//	           sync: commit, stay
//	             ┌──────┐
//	             │      ▼
//	serving ─────┴──────┬───────────────▶ unmounted ──▶ commit ──▶ disc closed ──▶ address given up ──▶ result told
//	   ▲  │             │ by whom: burnfs umount, umount(8),
//	   │  │ EBUSY       │ fusermount3 -u, a signal
//	   └──┘             │
//	                    └ signal while busy: commit what there is, then try
//	                      again once a second
//
// A second signal means that there is no time: a running burn is stopped at a
// place where it can be resumed, the mount is taken away from whoever uses it,
// staging is kept, and the next mount of the disc goes on from there.
//
// The order at the end is not free: whoever is told the result may mount the
// same disc on the same directory at once, so both must be free by then.
package mounted
