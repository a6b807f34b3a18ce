package session

import (
	"context"
	"errors"
	"time"

	"burnfs/session/tree"
)

// How long Discard waits for files to be closed, and in what steps: the kernel
// tells of the end of a handle up to half a second after close(2).
const (
	closingPatience = 2 * time.Second
	closingStep     = 50 * time.Millisecond
)

// Discard takes changes back: all of them if path is empty, else those of what
// has that name, from the root on, and everything below it. With preview it only
// tells what would be lost. See tree.Discard for what becomes of what.
//
// While a session is burned, or one waits to be finished, it is ErrCommitting:
// what was frozen for it may be on the disc already.
func (d *Disc) Discard(ctx context.Context, path string, preview bool) (*tree.Discarded, error) {
	if d.store == nil {
		return nil, tree.ErrReadOnly
	}
	if !d.committing.TryLock() {
		return nil, problem(ErrCommitting, nil, "a session is being burned from these changes, and they cannot be taken back any more. Nothing was taken back. Wait until it is done ('burnfs sync' waits); what was changed since can be taken back then")
	}
	defer d.committing.Unlock()
	if d.job != nil {
		return nil, problem(ErrCommitting, nil, "a session was planned from these changes and a part of it may be on the disc, so they cannot be taken back. Nothing was taken back. Finish it with 'burnfs sync'; what was changed since can be taken back then")
	}
	opt := tree.Discard{Path: path, NextIno: d.nextIno(), Preview: preview}
	for end := time.Now().Add(closingPatience); ; {
		taken, err := d.tree.Discard(ctx, opt)
		if !errors.Is(err, tree.ErrOpen) || time.Now().After(end) {
			if err == nil && !preview {
				d.log.Info("changes were taken back", "path", "/"+path, "files", taken.Files, "directories", taken.Dirs, "restored", taken.Restored, "bytes", taken.Bytes)
			}
			return taken, err
		}
		step := time.NewTimer(closingStep)
		select {
		case <-step.C:
		case <-ctx.Done():
			step.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
