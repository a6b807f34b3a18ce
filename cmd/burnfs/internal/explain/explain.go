package explain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

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

// Error is err for a user; nil stays nil and a Failure stays itself.
func Error(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*failure.Failure](err); ok {
		return err
	}
	for _, rung := range ladder {
		if f := rung(err); f != nil {
			return f
		}
	}
	return failure.New(exitcode.General, err, "this did not work", "", "")
}

// ladder goes from the particular to the general: what says more about the
// data comes first.
var ladder = []func(error) *failure.Failure{
	commitError, busy, takingBack, mountError, stagingError, discError, discFile, preparing, recording,
	historyError, imageError, controlError, usage, device, drive, interrupted, host,
}

func commitError(err error) *failure.Failure {
	ce, ok := errors.AsType[*session.CommitError](err)
	if !ok {
		return nil
	}
	code, data, what := exitcode.Commit, "Nothing was written to the disc this time.", firstSentence(ce.Err)
	if ce.DiscTouched {
		data = "A part of the new session may be on the disc; earlier sessions are untouched."
	}
	data += " Everything that was to be burned is kept in " + ce.StagingDir + "."
	next := "Mount the disc again and unmount it: the burn is taken up where it stopped."
	switch {
	case errors.Is(err, session.ErrFull), errors.Is(err, recorder.ErrFull):
		code = exitcode.Full
		next = "Mount the disc again and delete or shorten what is new, or copy it to another disc."
	case errors.Is(err, session.ErrWrongDisc), errors.Is(err, mmc.ErrNoMedium):
		code = exitcode.Disc
		next = "Insert the disc that was mounted. If it is still mounted, the burn goes on by itself; otherwise mount it again and unmount it."
	case errors.Is(err, mmc.ErrDriveGone):
		code = exitcode.Disc
		what = "the drive is gone: it was unplugged or switched off, or its connection broke"
		next = "Connect it again with the same disc. If the disc is still mounted, the burn goes on by itself; otherwise mount it again and unmount it."
	case errors.Is(err, session.ErrDiscChanged), errors.Is(err, session.ErrNotAppendable):
		code = exitcode.Disc
		next = "Mount the disc with -o ro to see it as it is now."
	}
	return failure.New(code, ce.Err, ce.Phase+" the new session failed: "+what, data, next)
}

// firstSentence keeps a message of the packages below to what happened; they
// put meaning and advice behind a semicolon or a full stop.
func firstSentence(err error) string {
	if err == nil {
		return "for an unknown reason"
	}
	s := err.Error()
	for _, end := range []string{"; ", ". ", "\n"} {
		s, _, _ = strings.Cut(s, end)
	}
	return s
}

func busy(err error) *failure.Failure {
	if be, ok := errors.AsType[*fusefs.BusyError](err); ok {
		next := "Close what uses it and unmount again; 'fuser -vm " + be.Mountpoint + "' (as root) lists everybody."
		if len(be.Holders) > 0 {
			next = "In use by:"
			for _, h := range be.Holders {
				next += "\n    " + h.String()
			}
			next += "\nClose these and unmount again."
		}
		return failure.New(exitcode.Busy, err, be.Mountpoint+" is in use and stays mounted", "Nothing was burned and nothing is lost.", next)
	}
	return nil
}

// takingBack are refusals of 'burnfs discard'.
func takingBack(err error) *failure.Failure {
	if oe, ok := errors.AsType[*tree.OpenError](err); ok {
		const most = 20
		list := oe.Paths
		more := ""
		if len(list) > most {
			list, more = list[:most], fmt.Sprintf("\nand %d more", len(oe.Paths)-most)
		}
		return failure.New(exitcode.Busy, err, "files with changes to take back are open for writing:\n    "+strings.Join(list, "\n    ")+more,
			"Nothing was taken back.", "Close them and try again.")
	}
	if me, ok := errors.AsType[*tree.MovedError](err); ok {
		return failure.New(exitcode.General, err, me.Error()+", so taking back just these changes would leave it in two places, or in none",
			"Nothing was taken back.", "Move it back first, or name a directory that holds both places, or the mount point for everything.")
	}
	switch {
	case errors.Is(err, session.ErrCommitting):
		return failure.New(exitcode.Busy, nil, err.Error(), "", "")
	case errors.Is(err, tree.ErrNotExist), errors.Is(err, tree.ErrNotDir):
		return failure.New(exitcode.General, nil, err.Error(), "Nothing was taken back.", "For what was in a directory that is gone, name the directory.")
	case errors.Is(err, tree.ErrReadOnly):
		return failure.New(exitcode.General, err, "the mount is read only, so there are no changes to take back", "", "")
	}
	return nil
}

func mountError(err error) *failure.Failure {
	me, ok := errors.AsType[*fusefs.MountError](err)
	if !ok {
		return nil
	}
	next := ""
	if me.Advice != "" {
		next = strings.ToUpper(me.Advice[:1]) + me.Advice[1:] + "."
	}
	return failure.New(exitcode.Mount, err, "cannot mount on "+me.Mountpoint+": "+me.Err.Error(),
		"The disc and what is staged for it are as they were.", next)
}

func stagingError(err error) *failure.Failure {
	code, next := exitcode.Staging, ""
	switch {
	case errors.Is(err, staging.ErrLocked):
		code, next = exitcode.InUse, "Unmount the disc where it is mounted; 'burnfs status' shows what it does."
	case errors.Is(err, staging.ErrNotWritable):
		next = "Give yourself write permission for that directory, or name another with -o statedir=DIR."
	case errors.Is(err, staging.ErrFull), errors.Is(err, tree.ErrStagingFull):
		next = "Make room on that file system, or name a directory on another one with -o statedir=DIR."
	case errors.Is(err, staging.ErrNotOurs):
		return failure.New(code, err, firstSentence(err), "Nothing was removed.", "Look whether somebody needs it, and move it elsewhere.")
	case errors.Is(err, staging.ErrVersion):
		next = "Use the version of burnfs that staged these changes, or a newer one."
	case errors.Is(err, staging.ErrDamaged), errors.Is(err, staging.ErrFailed), errors.Is(err, session.ErrStaging), errors.Is(err, staging.ErrIdentity), errors.Is(err, staging.ErrNotFound):
		next = "Check that file system and the local disk. 'burnfs mount -o ro' shows what is on the disc itself."
	default:
		return nil
	}
	what := "the staging directory cannot be used"
	if code == exitcode.InUse {
		what = "the disc is mounted already"
	}
	return failure.New(code, err, what+": "+firstSentence(err), "The disc was not touched, and nothing that was staged is lost.", next)
}

func discError(err error) *failure.Failure {
	de, ok := errors.AsType[*session.DiscError](err)
	if !ok {
		return nil
	}
	code := exitcode.Disc
	switch {
	case errors.Is(err, session.ErrFull):
		code = exitcode.Full
	case errors.Is(err, session.ErrBurning):
		code = exitcode.Busy
	case errors.Is(err, session.ErrVerify), errors.Is(err, session.ErrReload):
		code = exitcode.Verify
	}
	// These texts already say what happened, what it means, and what to do.
	return failure.New(code, de.Err, de.What, "", "")
}

func discFile(err error) *failure.Failure {
	switch fe, damaged := errors.AsType[*emu.FormatError](err); {
	case errors.Is(err, emu.ErrInUse):
		return failure.New(exitcode.InUse, err, err.Error(), "", "If it is mounted by burnfs, 'burnfs umount' its mount point.")
	case errors.Is(err, emu.ErrNotDisc):
		return failure.New(exitcode.Disc, err, err.Error(), "Nothing was changed.", "Name an ISO file or a disc made by 'burnfs create'.")
	case damaged:
		return failure.New(exitcode.Disc, err, fe.Error(), "Nothing was changed. The data file itself may be intact.",
			"Restore the .medium file beside the disc from a copy, or mount a copy of the data file alone as a plain ISO file.")
	}
	return nil
}

// preparing are errors of what is done to a disc outside of a session.
func preparing(err error) *failure.Failure {
	if re, ok := errors.AsType[*prepare.RefusedError](err); ok {
		return failure.New(exitcode.Disc, err, re.Reason, "Nothing was changed.", "")
	}
	switch {
	case errors.Is(err, prepare.ErrChanged):
		return failure.New(exitcode.Disc, err, firstSentence(prepare.ErrChanged), "Nothing was changed.", "Look at it with 'burnfs info' and begin again.")
	case errors.Is(err, prepare.ErrNotBlank):
		return failure.New(exitcode.Commit, err, firstSentence(err), "What was on it is probably lost.", "Blank it again, with --full if that was not asked for; if that does not help, the disc is bad.")
	case errors.Is(err, prepare.ErrNotFormatted):
		return failure.New(exitcode.Commit, err, firstSentence(err), "What was on it is probably lost.", "Format it again; if that does not help, the disc is bad.")
	case errors.Is(err, prepare.ErrLocked):
		return failure.New(exitcode.InUse, err, firstSentence(prepare.ErrLocked), "Nothing was changed.", "Unmount the disc first.")
	case errors.Is(err, prepare.ErrByHand):
		return failure.New(exitcode.General, err, firstSentence(prepare.ErrByHand), "", "Use its button, or push the tray in by hand.")
	}
	return nil
}

func recording(err error) *failure.Failure {
	if nw, ok := errors.AsType[*recorder.NotWritableError](err); ok {
		next := "Use another disc."
		if strings.Contains(nw.Reason, ". ") {
			next = "" // the reason says what to do
		}
		return failure.New(exitcode.Disc, err, nw.Reason, "Nothing was written.", next)
	}
	switch {
	case errors.Is(err, recorder.ErrFull):
		return failure.New(exitcode.Full, err, firstSentence(err), "", "Use a disc with more room, or record less.")
	case errors.Is(err, recorder.ErrInterrupted):
		return failure.New(exitcode.Disc, err, "the disc holds an interrupted burn that was not closed", "Its earlier sessions are untouched; nothing was written now.",
			"If it was burned from an image, run 'burnfs burn --resume' with exactly the same image. If it was mounted, mount it: that completes it. If neither is possible, 'burnfs close' makes room for a new session.")
	case errors.Is(err, recorder.ErrSizeNeeded):
		return failure.New(exitcode.Usage, err, firstSentence(err), "Nothing was written.", "Save the image to a file first, or leave --mode away.")
	case errors.Is(err, recorder.ErrNothingToResume):
		return failure.New(exitcode.Disc, err, firstSentence(err), "Nothing was written.",
			"Burn the image without --resume: either the burn was finished, which 'burnfs sessions' tells, or nothing of it had reached the disc.")
	case errors.Is(err, recorder.ErrNotResumable), errors.Is(err, recorder.ErrChanged):
		return failure.New(exitcode.Disc, err, firstSentence(err), "Nothing was written.", "")
	case errors.Is(err, recorder.ErrNotClosed), errors.Is(err, recorder.ErrLost), errors.Is(err, recorder.ErrOrder), errors.Is(err, recorder.ErrFinal):
		return failure.New(exitcode.Commit, err, firstSentence(err), "Earlier sessions are untouched.", "See 'burnfs sessions' for what is on the disc now.")
	}
	if we, ok := errors.AsType[*recorder.WriteError](err); ok {
		return failure.New(exitcode.Commit, err, we.Error(), "Earlier sessions are untouched; a part of the new one is on the disc.",
			"See 'burnfs sessions' for what is on the disc now.")
	}
	return nil
}

func historyError(err error) *failure.Failure {
	switch {
	case errors.Is(err, history.ErrNoSession):
		return failure.New(exitcode.Disc, err, "the disc is blank: it has no session, so there is no last one to name", "",
			"Make the image of a first session without -C.")
	case errors.Is(err, history.ErrNoNext):
		return failure.New(exitcode.Disc, err, err.Error(), "", "Use another disc.")
	}
	return nil
}

func imageError(err error) *failure.Failure {
	if ce, ok := errors.AsType[*hosttree.ConflictError](err); ok {
		return failure.New(exitcode.Usage, nil, ce.Error(), "No image was made.", "Give one of them another name with -graft-points.")
	}
	ne, isNode := errors.AsType[*image.NodeError](err)
	switch {
	case errors.Is(err, image.ErrSourceChanged), errors.Is(err, image.ErrShortFile):
		return failure.New(exitcode.General, err, "files changed while the image was being made", "The image is not complete.", "Make it again when nothing writes to them.")
	case errors.Is(err, image.ErrTooLarge):
		return failure.New(exitcode.Full, err, image.ErrTooLarge.Error(), "No image was made.", "Record less.")
	case isNode:
		return failure.New(exitcode.General, err, ne.Error(), "No image was made.", "Rename it or leave it out.")
	case errors.Is(err, iso9660.ErrNotISO9660), errors.Is(err, iso9660.ErrHighSierra), errors.Is(err, iso9660.ErrNoPrimary), errors.Is(err, iso9660.ErrBlockSize):
		return failure.New(exitcode.Disc, err, err.Error(), "", "burnfs reads ISO 9660 discs; use another program for others.")
	}
	if _, ok := errors.AsType[*iso9660.FormatError](err); ok {
		return failure.New(exitcode.Disc, err, err.Error(), "Nothing was changed.", "'burnfs verify' lists everything that is wrong with the disc.")
	}
	return nil
}

func controlError(err error) *failure.Failure {
	if errors.Is(err, control.ErrTaken) {
		return failure.New(exitcode.Mount, err, control.ErrTaken.Error(), "", "It may still be burning what was mounted here before: wait for it with 'burnfs umount' on this directory.")
	}
	if de, ok := errors.AsType[*control.DirError](err); ok {
		return failure.New(exitcode.Mount, err, de.Error(), "Nothing was mounted.", "Set XDG_RUNTIME_DIR to a directory of your own.")
	}
	if de, ok := errors.AsType[*daemon.DiedError](err); ok {
		if errors.Is(err, context.Canceled) {
			return failure.New(exitcode.Interrupted, err, "interrupted before the mount was ready", "Nothing was changed.", "")
		}
		return failure.New(exitcode.General, err, de.Error(), "Nothing is mounted; the disc and what is staged for it are as they were.", "Run it again with -f to see what it says.")
	}
	return nil
}

func usage(err error) *failure.Failure {
	if oe, ok := errors.AsType[*mountopt.Error](err); ok {
		return failure.New(exitcode.Usage, nil, oe.Error(), "", "")
	}
	if he, ok := errors.AsType[*mounthelper.Error](err); ok {
		return failure.New(exitcode.Usage, nil, he.Error(), "", "")
	}
	if errors.Is(err, mountopt.ErrNoHome) {
		return failure.New(exitcode.Staging, err, "no directory for staging: "+err.Error(), "Nothing was touched.", "Name one with -o statedir=DIR.")
	}
	return nil
}

// device is about the nodes of drives.
func device(err error) *failure.Failure {
	if nd, ok := errors.AsType[*sgio.NotDriveError](err); ok {
		return failure.New(exitcode.Disc, err, nd.Error(), "Nothing was read or written.", "Name a drive such as /dev/sr0, or a file; 'burnfs drives' lists all drives.")
	}
	if be, ok := errors.AsType[*sgio.BusyError](err); ok {
		return failure.New(exitcode.InUse, err, be.Error(), "Nothing was read or written.", "Unmount it, or close the program that uses it, and try again.")
	}
	if ae, ok := errors.AsType[*sgio.AccessError](err); ok {
		what, next, _ := strings.Cut(ae.Error(), "; ")
		if next != "" {
			next = strings.ToUpper(next[:1]) + next[1:] + "."
		}
		return failure.New(exitcode.Disc, err, what, "Nothing was read or written.", next)
	}
	if pe, ok := errors.AsType[*sgio.PermissionError](err); ok {
		return failure.New(exitcode.Disc, err, pe.Error(), "Nothing was written.", "Use the drive as root, or as a member of the group of its device node.")
	}
	return nil
}

func drive(err error) *failure.Failure {
	if errors.Is(err, mmc.ErrDriveGone) {
		return failure.New(exitcode.Disc, err, "the drive does not answer any more: it was unplugged or switched off, or its connection broke", "", "Connect it again and repeat what you did.")
	}
	if errors.Is(err, mmc.ErrNoMedium) {
		return failure.New(exitcode.Disc, err, "there is no disc in the drive", "", "Insert one.")
	}
	_, sense := errors.AsType[*mmc.SenseError](err)
	_, transport := errors.AsType[*mmc.TransportError](err)
	_, response := errors.AsType[*mmc.ResponseError](err)
	if sense || transport || response {
		return failure.New(exitcode.Disc, err, "the drive reports an error: "+err.Error(), "", "Clean the disc or try another drive.")
	}
	return nil
}

func interrupted(err error) *failure.Failure {
	if errors.Is(err, context.Canceled) {
		return failure.New(exitcode.Interrupted, err, "interrupted", "", "")
	}
	return nil
}

// host are errors of the local machine.
func host(err error) *failure.Failure {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return failure.New(exitcode.General, err, err.Error(), "", "Make room on that file system.")
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrExist):
		return failure.New(exitcode.General, err, err.Error(), "", "")
	}
	return nil
}
