package prepare

import "errors"

// RefusedError is what cannot be done to a medium. Nothing was changed.
type RefusedError struct {
	Reason string // one or two sentences for the user
}

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Sentinels for errors.Is.
var (
	// ErrChanged: the medium may be another one than was inspected.
	ErrChanged = errors.New("the disc in the drive may have been exchanged since it was inspected; nothing was changed on it")
	// ErrNotBlank: the drive said that it is done, or failed, and the medium is not
	// blank afterwards.
	ErrNotBlank = errors.New("the disc is not blank after blanking; what was on it is probably lost, and it has to be blanked again before it can be written")
	// ErrNotFormatted: the same for formatting.
	ErrNotFormatted = errors.New("the disc is not formatted as wanted after formatting; what was on it is probably lost, and it has to be formatted again before it can be written")
	// ErrLocked: the door is locked, by another program or by a mount.
	ErrLocked = errors.New("the drive does not open because a program keeps the disc locked in it; unmount the disc first")
	// ErrByHand: the drive has no motor for what was asked.
	ErrByHand = errors.New("the drive cannot move its tray by itself; use its button, or push the tray in by hand")
)
