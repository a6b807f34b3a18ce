package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"burnfs/iso9660/check"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// check lets package check look at every readable session of the disc, which no one
// has open, and at what block 16 of an overwritable medium shows. A disc that has
// been checked as it is, is not checked again.
func (r *rig) check() {
	r.Helper()
	if r.damaged {
		return
	}
	if _, err := os.Stat(r.path); errors.Is(err, fs.ErrNotExist) {
		return
	}
	ctx := context.Background()
	e, err := emu.Open(r.path, emu.Options{Log: r.opt.Log, MaxBlocks: r.max})
	if err != nil {
		r.Error(err)
		return
	}
	drive := mmc.NewDrive(e, r.opt.Log)
	defer func() {
		if err := drive.Close(); err != nil {
			r.Error(err)
		}
	}()
	info, err := medium.Inspect(ctx, drive)
	if err != nil {
		r.Error(err)
		return
	}
	disc := blocks.New(drive)
	sessions, err := history.List(ctx, info, disc)
	if err != nil {
		r.Error(err)
		return
	}
	state := ""
	for _, s := range sessions {
		state += fmt.Sprintf("%d-%s ", s.Start, s.Hash)
	}
	if state == r.checked {
		return
	}
	r.checked = state
	if r.newest == nil {
		r.newest = map[uint32]bool{}
	}
	for i, s := range sessions {
		last := i == len(sessions)-1
		r.newest[s.Start] = r.newest[s.Start] || last || i == 0
		// What was never the newest is what remains of a commit that was
		// interrupted and begun again.
		if s.Readable && r.newest[s.Start] && (s.Mark != nil || !r.others) {
			r.checkSession(ctx, disc, s.Start, s.Mark != nil, last)
		}
		if last && s.Readable && s.Start != 0 && info.Kind == medium.Overwritable {
			r.checkSession(ctx, disc, 0, s.Mark != nil, false)
		}
	}
}

// checkSession demands of a session of ours that there is nothing to find, and of
// one of others that it has no errors but the one that the volume space size of
// continued sessions makes.
func (r *rig) checkSession(ctx context.Context, disc *blocks.Reader, start uint32, ours, data bool) {
	r.Helper()
	for f, err := range check.Check(ctx, disc, start, check.Options{Data: data}) {
		switch {
		case err != nil:
			r.Errorf("%s: %v", r.path, err)
		case ours || f.Severity == check.Error && f.Rule != check.ContinuationBeyond:
			r.Errorf("the session at block %d: %v", start, f)
		}
	}
}
