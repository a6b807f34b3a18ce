package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/fsck"
	"burnfs/session/history"
	"burnfs/session/staging"
)

// checkStaging lets package fsck look at every store of the rig, which no one has open, and
// at the disc, if it has what the store builds upon.
func (r *rig) checkStaging() {
	r.Helper()
	if r.brokenStaging {
		return
	}
	discs := filepath.Join(r.opt.StateDir, "discs")
	entries, err := os.ReadDir(discs)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		r.Error(err)
		return
	}
	for _, e := range entries {
		if err := r.checkStore(filepath.Join(discs, e.Name())); err != nil {
			r.Errorf("the staging %s cannot be checked: %v", e.Name(), err)
		}
	}
}

func (r *rig) checkStore(dir string) (err error) {
	r.Helper()
	ctx := context.Background()
	s, err := staging.OpenReadOnly(dir)
	switch {
	case errors.Is(err, staging.ErrNotFound), errors.Is(err, staging.ErrLocked):
		return nil // cut short by its Create, or in use by another rig
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var disc *blocks.Reader
	var info *medium.Info
	var sessions []history.Session
	if e, err := emu.Open(r.path, emu.Options{ReadOnly: true, Log: r.opt.Log}); err == nil {
		drive := mmc.NewDrive(e, r.opt.Log)
		defer func() {
			if err := drive.Close(); err != nil {
				r.Error(err)
			}
		}()
		if info, err = medium.Inspect(ctx, drive); err == nil {
			disc = blocks.New(drive)
			sessions, _ = history.List(ctx, info, disc) // none: it is checked without the disc
		}
	}
	if info == nil {
		info = &medium.Info{}
	}
	report, err := CheckStaging(ctx, s, disc, info, sessions, r.opt.Log)
	if report == nil {
		return err
	}
	for _, f := range report.Findings {
		if r.damaged && f.Kind == fsck.KindUnread {
			continue
		}
		r.Errorf("staging: %v", f)
	}
	return nil
}
