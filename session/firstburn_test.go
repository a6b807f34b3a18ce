package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc/emu"
	"burnfs/session/history"
)

// A power cut in the first burn of an overwritable disc leaves blocks of the session in no
// order. Nobody is shown a part of it, and whoever has the staging goes on.
func TestFirstBurnCut(t *testing.T) {
	const descriptor = history.Align + iso9660.FirstDescriptor
	for _, c := range []struct {
		reason string
		lost   []int64 // blocks
		alien  int64   // block that somebody else has written, 0 for none
		alone  error   // of a mount without the staging
		err    error   // of one with it
	}{
		{reason: "everything is there, but block 16 does not show it"},
		{reason: "the file's data is not there", lost: []int64{-1}},
		{reason: "the session's descriptors are not there", lost: []int64{descriptor}, alone: ErrNoISO},
		{reason: "another file system may be there", lost: []int64{descriptor}, alien: 33, alone: ErrNoISO, err: ErrNoISO},
		{reason: "another file system may begin with zeros", lost: []int64{descriptor}, alien: 1, alone: ErrNoISO, err: ErrNoISO},
	} {
		for _, media := range []emu.Media{"", "bd-re"} {
			t.Run(c.reason+" "+string(media), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, media)
				r.damaged = c.err != nil
				r.open()
				r.put("f", []byte("content"))
				want := r.manifest()
				ctx, cancel := context.WithCancel(r.ctx)
				defer cancel()
				if _, err := r.disc.Commit(ctx, "test", func(p Progress) {
					if p.Phase == PhaseVerifying {
						cancel()
					}
				}); err == nil {
					t.Fatal("the commit was not interrupted")
				}
				blocks := int64(r.disc.job.plan.Blocks())
				r.damaged = true // until it is finished
				r.close()
				f, err := os.OpenFile(r.path, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				write := func(block int64, with []byte) {
					if block < 0 { // of the data, which ends before the checksums
						for block = history.Align; block < history.Align+blocks; block++ {
							got := make([]byte, len("content"))
							if _, err := f.ReadAt(got, block*blockSize); err == nil && string(got) == "content" {
								break
							}
						}
					}
					if _, err := f.WriteAt(with, block*blockSize); err != nil {
						t.Fatal(err)
					}
				}
				for _, b := range c.lost {
					write(b, make([]byte, blockSize))
				}
				if c.alien != 0 {
					write(c.alien, []byte("somebody else's"))
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}

				mine := r.opt
				r.opt.StateDir = filepath.Join(filepath.Dir(r.path), "elsewhere")
				r.opt.ReadOnly = true
				if err := r.tryOpen(); !errors.Is(err, c.alone) {
					t.Fatalf("without the staging: error %v, want %v", err, c.alone)
				} else if err == nil {
					if list, err := r.disc.Tree().ReadDir(r.ctx, r.disc.Tree().Root()); err != nil || len(list) > 0 {
						r.Errorf("without the staging, what was never finished is shown: %v, %v", list, err)
					}
					r.close()
				}
				r.opt = mine
				if err := r.tryOpen(); !errors.Is(err, c.err) {
					t.Fatalf("error %v, want %v", err, c.err)
				} else if err != nil {
					r.disc = nil
					return
				}
				r.same("mounted", want)
				r.disc.background.Wait()
				if s := r.disc.Status(); s.LastError != "" || !r.disc.Tree().Pending().Empty() {
					t.Errorf("the burn was not finished: %+v", s)
				}
				r.damaged = false
				r.close()
				r.opt.StateDir, r.opt.ReadOnly = filepath.Join(filepath.Dir(r.path), "elsewhere"), true
				r.open()
				r.same("without the staging, finished", want)
			})
		}
	}
}
