package explain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/daemon"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mounthelper"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/fusefs"
	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/prepare"
	"burnfs/mmc/recorder"
	"burnfs/mmc/sgio"
	"burnfs/session"
	"burnfs/session/history"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

func TestLadder(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("opening the disc: %w", err) }
	disc := func(kind error) error { return &session.DiscError{Kind: kind, What: "what happened"} }
	commit := func(touched bool, err error) error {
		return &session.CommitError{Phase: "burning", Start: 32, Written: 7, DiscTouched: touched, StagingDir: "/state/x", Err: err}
	}
	tests := []struct {
		err    error
		code   exitcode.Code
		says   []string
		reason string
	}{
		{wrap(commit(true, errors.New("the drive coughed; and more"))), exitcode.Commit, []string{"burning the new session failed: the drive coughed", "A part of the new session may be on the disc", "/state/x", "Mount the disc again"}, "a burn that broke off"},
		{commit(false, disc(session.ErrFull)), exitcode.Full, []string{"Nothing was written", "/state/x", "delete or shorten"}, "it did not fit after all"},
		{commit(false, recorder.ErrFull), exitcode.Full, []string{"/state/x"}, "the drive says so"},
		{commit(false, disc(session.ErrWrongDisc)), exitcode.Disc, []string{"Insert the disc that was mounted"}, "exchanged while mounted"},
		{commit(false, disc(session.ErrDiscChanged)), exitcode.Disc, []string{"-o ro"}, "written by somebody else"},
		{commit(true, disc(session.ErrVerify)), exitcode.Commit, []string{"/state/x"}, "staging is kept, so the commit failed, not the disc's content"},
		{commit(true, &mmc.TransportError{Gone: true}), exitcode.Disc, []string{"the drive is gone", "Connect it again", "goes on by itself"}, "unplugged during a burn"},
		{commit(false, mmc.ErrNoMedium), exitcode.Disc, []string{"no medium", "Insert the disc"}, "taken out"},
		{wrap(disc(session.ErrNoISO)), exitcode.Disc, []string{"what happened"}, "not ISO 9660"},
		{wrap(&prepare.RefusedError{Reason: "A BD-RE is never blanked."}), exitcode.Disc, []string{"A BD-RE is never blanked.", "Nothing was changed."}, "blank of what is overwritten"},
		{wrap(prepare.ErrChanged), exitcode.Disc, []string{"may have been exchanged", "Nothing was changed."}, "another disc while the user was asked"},
		{wrap(prepare.ErrNotBlank), exitcode.Commit, []string{"probably lost", "--full"}, "a worn CD-RW"},
		{wrap(prepare.ErrNotFormatted), exitcode.Commit, []string{"probably lost"}, "a worn DVD+RW"},
		{wrap(prepare.ErrLocked), exitcode.InUse, []string{"Unmount the disc first"}, "eject of what another program holds"},
		{wrap(prepare.ErrByHand), exitcode.General, []string{"by hand"}, "a slim drive"},
		{wrap(recorder.ErrSizeNeeded), exitcode.Usage, []string{"Save the image to a file first"}, "a pipe at once"},
		{disc(session.ErrNoSession), exitcode.Disc, nil, "session=99"},
		{disc(session.ErrNotAppendable), exitcode.Disc, nil, "closed"},
		{disc(session.ErrFull), exitcode.Full, nil, "full"},
		{disc(session.ErrBurning), exitcode.Busy, nil, "a plan while a session is burned"},
		{disc(session.ErrVerify), exitcode.Verify, nil, "does not read back"},
		{&fusefs.BusyError{Mountpoint: "/mnt", Holders: []fusefs.Holder{{PID: 12, Command: "sh", Path: "/mnt/a", How: "works in"}}}, exitcode.Busy, []string{"/mnt is in use", "sh (pid 12)", "nothing is lost"}, "somebody is in it"},
		{&fusefs.BusyError{Mountpoint: "/mnt"}, exitcode.Busy, []string{"fuser -vm /mnt"}, "somebody who cannot be seen"},
		{&fusefs.MountError{Mountpoint: "/mnt", Err: fusefs.ErrNoFUSE, Advice: "load it"}, exitcode.Mount, []string{"/dev/fuse", "Load it."}, "no FUSE"},
		{&fusefs.MountError{Mountpoint: "/mnt", Err: fusefs.ErrMountpointInUse}, exitcode.Mount, []string{"in use"}, "without advice"},
		{wrap(&staging.LockedError{}), exitcode.InUse, []string{"mounted already"}, "mounted elsewhere"},
		{staging.ErrNotWritable, exitcode.Staging, []string{"statedir"}, "no permission"},
		{staging.ErrFull, exitcode.Staging, []string{"Make room"}, "local disk full"},
		{tree.ErrStagingFull, exitcode.Staging, []string{"Make room"}, "local disk full, seen by the tree"},
		{staging.ErrVersion, exitcode.Staging, []string{"version"}, "from the future"},
		{staging.ErrDamaged, exitcode.Staging, []string{"-o ro"}, "damaged"},
		{fmt.Errorf("/d: %w", emu.ErrInUse), exitcode.InUse, []string{"burnfs umount"}, "flock"},
		{fmt.Errorf("/d: %w", emu.ErrNotDisc), exitcode.Disc, []string{"burnfs create"}, "a fifo"},
		{&emu.FormatError{Path: "/d.medium", Err: errors.New("version 9")}, exitcode.Disc, []string{".medium"}, "a damaged state file"},
		{&recorder.NotWritableError{Reason: "It is closed."}, exitcode.Disc, []string{"It is closed."}, "closed"},
		{recorder.ErrFull, exitcode.Full, nil, "full"},
		{recorder.ErrInterrupted, exitcode.Disc, []string{"--resume"}, "left open"},
		{recorder.ErrNothingToResume, exitcode.Disc, nil, "not left open"},
		{recorder.ErrNotResumable, exitcode.Disc, nil, "damaged"},
		{recorder.ErrChanged, exitcode.Disc, nil, "exchanged"},
		{recorder.ErrNotClosed, exitcode.Commit, []string{"burnfs sessions"}, "did not close"},
		{recorder.ErrLost, exitcode.Commit, nil, "lost"},
		{&recorder.WriteError{LBA: 5, Blocks: 16, Err: errors.New("bad")}, exitcode.Commit, []string{"Earlier sessions are untouched"}, "bad blocks"},
		{history.ErrNoSession, exitcode.Disc, []string{"blank", "without -C"}, "msinfo of a blank disc"},
		{history.ErrNoNext, exitcode.Disc, nil, "msinfo of a closed disc"},
		{&hosttree.ConflictError{Name: "/x", First: "a", Second: "b"}, exitcode.Usage, []string{"/x"}, "two files of a name"},
		{wrap(image.ErrSourceChanged), exitcode.General, []string{"not complete"}, "changed meanwhile"},
		{image.ErrShortFile, exitcode.General, []string{"not complete"}, "truncated meanwhile"},
		{image.ErrTooLarge, exitcode.Full, nil, "8 TiB"},
		{&image.NodeError{Path: "/x", What: "is odd"}, exitcode.General, []string{"/x"}, "a node that cannot be recorded"},
		{wrap(iso9660.ErrNotISO9660), exitcode.Disc, nil, "an UDF disc"},
		{&iso9660.FormatError{What: "directory record", LBA: 9, Err: errors.New("short")}, exitcode.Disc, []string{"burnfs verify"}, "damage"},
		{control.ErrTaken, exitcode.Mount, []string{"burnfs umount"}, "still burning"},
		{&control.DirError{Dir: "/tmp/burnfs-7", Reason: "belongs to somebody else"}, exitcode.Mount, []string{"XDG_RUNTIME_DIR"}, "an attacker was faster"},
		{&daemon.DiedError{Err: errors.New("exit status 2")}, exitcode.General, []string{"-f"}, "crashed"},
		{&daemon.DiedError{Err: context.Canceled}, exitcode.Interrupted, nil, "Ctrl-C"},
		{&mountopt.Error{Option: "x", Reason: "unknown"}, exitcode.Usage, nil, "option"},
		{&mounthelper.Error{Usage: "u", Err: errors.New("e")}, exitcode.Usage, nil, "helper"},
		{mountopt.ErrNoHome, exitcode.Staging, []string{"statedir"}, "no home"},
		{mmc.ErrNoMedium, exitcode.Disc, []string{"no disc in the drive"}, "empty drive"},
		{&mmc.TransportError{Err: syscall.EIO}, exitcode.Disc, nil, "a cable"},
		{wrap(&mmc.TransportError{Gone: true, Err: syscall.ENODEV}), exitcode.Disc, []string{"unplugged", "Connect it again"}, "no cable"},
		{&sgio.NotDriveError{Path: "/dev/sda", Kind: "a disk"}, exitcode.Disc, []string{"/dev/sda is a disk", "burnfs drives"}, "a disk"},
		{&sgio.BusyError{Path: "/dev/sr0", Holders: []sgio.Holder{{PID: 7, Command: "wodim"}}}, exitcode.InUse, []string{"process 7 (wodim)"}, "another program burns"},
		{&sgio.AccessError{Path: "/dev/sr0", Group: "cdrom", Err: syscall.EACCES}, exitcode.Disc, []string{"no permission", "group cdrom"}, "not in the group"},
		{&sgio.AccessError{Path: "/dev/sr0", Err: syscall.EACCES}, exitcode.Disc, []string{"Only root may"}, "no group at all"},
		{wrap(&mmc.TransportError{Err: &sgio.PermissionError{Path: "/dev/sr0", Op: mmc.OpWrite10, ReadOnly: true, Err: syscall.EPERM}}), exitcode.Disc, []string{"opened for reading only", "member of the group"}, "a node that can only be read"},
		{context.Canceled, exitcode.Interrupted, nil, "Ctrl-C"},
		{&fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, exitcode.General, []string{"Make room"}, "local disk full"},
		{&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}, exitcode.General, []string{"/x"}, "a missing file"},
		{errors.New("something else"), exitcode.General, []string{"something else"}, "anything"},
	}
	for _, tt := range tests {
		err := Error(tt.err)
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok || f.Code != tt.code {
			t.Errorf("%s: %v has code %v, want %v", tt.reason, tt.err, failure.CodeOf(err), tt.code)
			continue
		}
		var out strings.Builder
		failure.Print(&out, "burnfs", err, false)
		for _, s := range tt.says {
			if !strings.Contains(out.String(), s) {
				t.Errorf("%s: does not say %q:\n%s", tt.reason, s, out.String())
			}
		}
		if out.Len() == 0 || f.What == "" {
			t.Errorf("%s: says nothing", tt.reason)
		}
	}
}

func TestErrorKeeps(t *testing.T) {
	if Error(nil) != nil {
		t.Error("no error becomes one")
	}
	f := failure.New(exitcode.Busy, nil, "w", "", "")
	if got := Error(f); got != error(f) {
		t.Errorf("a Failure becomes %v", got)
	}
	cause := errors.New("cause")
	if err := Error(&session.CommitError{Phase: "burning", Err: cause}); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
