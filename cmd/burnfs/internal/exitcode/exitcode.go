// Package exitcode numbers the ways in which burnfs ends.
//
// The numbers are part of the interface: scripts branch on them, so a number
// once given keeps its meaning and a retired one is not used again. The table
// is what the manual page prints.
package exitcode

import "fmt"

// Code is an exit status of the burnfs command.
type Code int

const (
	// OK: everything that was asked for is done. For umount and sync this
	// means burned, read back and verified.
	OK Code = 0
	// General: a failure that has no number of its own.
	General Code = 1
	// Usage: the command line is wrong; nothing was tried.
	Usage Code = 2
	// Disc: the disc cannot be used for this: not a disc, not ISO 9660, closed,
	// damaged, the wrong one, or an image that was made for another place.
	Disc Code = 3
	// Full: what should be written does not fit on the disc.
	Full Code = 4
	// Busy: a program uses the mount, so it was not unmounted.
	Busy Code = 5
	// Commit: burning or verifying failed; the staged files are kept.
	Commit Code = 6
	// Staging: the staging directory cannot be used (permissions, space).
	Staging Code = 7
	// InUse: another burnfs, or another program, has the disc open.
	InUse Code = 8
	// Mount: the kernel or fusermount3 refused the mount or the mount point
	// does not fit.
	Mount Code = 9
	// Verify: what was read back differs from what was recorded.
	Verify Code = 10
	// NotMounted: no burnfs is mounted there, or it does not answer.
	NotMounted Code = 11
	// Interrupted: waiting was interrupted; the daemon goes on by itself.
	Interrupted Code = 12
	// Staged: unmounted without a commit, as the mount was told to; changes
	// wait in staging.
	Staged Code = 13
	// Damaged: what is staged is damaged, or could not be copied out whole.
	Damaged Code = 14
	// Faulty: the structures of the disc have errors.
	Faulty Code = 15
)

// Row is one line of the documented table.
type Row struct {
	Code    Code
	Name    string // short, for logs
	Meaning string // one sentence for the manual
}

var table = [...]Row{
	{OK, "ok", "Done. For umount and sync: burned, read back and verified, or nothing was pending."},
	{General, "failed", "A failure without a number of its own."},
	{Usage, "usage", "The command line is wrong; nothing was tried."},
	{Disc, "disc", "The disc cannot be used for this: not a disc, not ISO 9660, closed, damaged, the wrong one, or an image made for another place."},
	{Full, "full", "What should be written does not fit on the disc."},
	{Busy, "busy", "A program uses the mount; it stays mounted and nothing has changed."},
	{Commit, "commit", "Burning or verifying failed. Everything that was not burned is kept in the staging directory."},
	{Staging, "staging", "The staging directory cannot be used."},
	{InUse, "in-use", "The disc is in use by another burnfs or another program."},
	{Mount, "mount", "The mount point does not fit, or the system refused the mount."},
	{Verify, "verify", "What was read from the disc differs from what was recorded."},
	{NotMounted, "not-mounted", "No burnfs is mounted there, or its daemon does not answer."},
	{Interrupted, "interrupted", "Waiting was interrupted; the daemon goes on by itself."},
	{Staged, "staged", "Unmounted without burning, as -o commit= said; changes wait in the staging directory for the next mount of the disc."},
	{Damaged, "damaged", "What is staged is damaged, or could not be copied out whole."},
	{Faulty, "faulty", "The structures of the disc have errors, so that some reader shows something wrong, or not at all."},
}

// Table lists every code in ascending order.
func Table() []Row { return append([]Row(nil), table[:]...) }

// String is the short name of the code.
func (c Code) String() string {
	for _, r := range table {
		if r.Code == c {
			return r.Name
		}
	}
	return fmt.Sprintf("exit status %d", int(c))
}
