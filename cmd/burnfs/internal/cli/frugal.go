package cli

import "runtime/debug"

// frugalPercent is how much garbage there may be during a commit, in per cent of what is
// in use. Usually it is 100: with a million changed files in memory, half a gigabyte.
const frugalPercent = 30

// frugal makes the process do with less garbage until end is called. That takes a tenth
// more of the processor while directories are laid out, and nothing else takes as much
// memory as a commit.
func frugal() (end func()) {
	was := debug.SetGCPercent(frugalPercent)
	if was >= 0 && was < frugalPercent {
		debug.SetGCPercent(was) // somebody wants even less
	}
	return func() { debug.SetGCPercent(was) }
}
