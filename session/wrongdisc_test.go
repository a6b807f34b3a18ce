package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// tray is a drive whose disc can be exchanged, lock or no lock: a USB drive
// that is plugged in again, or a pin in the emergency hole.
type tray struct{ mmc.Transport }

// TestResumeOnAnotherDisc: after a burn was interrupted, another disc is in the
// drive when it is taken up again. Nothing may be written to it.
func TestResumeOnAnotherDisc(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		first  bool // the interrupted session is the disc's first
		other  func(r *rig)
		reason string
	}{
		{"bd-re", false, func(r *rig) { r.put("other", make([]byte, 300_000)) }, "it can be written anywhere"},
		{"bd-re", true, func(r *rig) { r.put("other", make([]byte, 300_000)) }, "a blank one was expected"},
		{"bd-r", false, func(r *rig) { r.put("them", make([]byte, 100_000)) }, "its next address may be the same"},
		{"dvd+r", false, func(r *rig) { r.put("them", make([]byte, 100_000)) }, "its next address may be the same"},
	} {
		t.Run(string(c.media)+": "+c.reason, func(t *testing.T) {
			other := newRig(t, c.media)
			other.open()
			c.other(other)
			other.remount()
			other.close()

			r := newRig(t, c.media)
			r.damaged = true // the interrupted session is found among the others
			r.open()
			if !c.first {
				r.put("mine", make([]byte, 100_000))
				r.commit()
			}
			r.close()
			e, err := emu.Open(r.path, emu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			drive := &tray{e}
			if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
				t.Fatal(err)
			}
			r.put("staged", make([]byte, 200_000))
			want := r.manifest()
			ctx, cancel := context.WithCancel(r.ctx)
			if _, err := r.disc.Commit(ctx, "test", func(p Progress) {
				if p.Phase == PhaseBurning {
					cancel()
				}
			}); err == nil {
				t.Fatal("the commit was not interrupted")
			}
			before := files(t, other.path)
			e2, err := emu.Open(other.path, emu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			drive.Transport = e2
			if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, ErrWrongDisc) {
				t.Errorf("committing with another disc in the drive: %v", err)
			}
			drive.Transport = e
			if err := e2.Close(); err != nil {
				t.Error(err)
			}
			if files(t, other.path) != before {
				t.Error("the other disc was written to")
			}
			r.same("with the right disc again", want)
			r.remount()
			r.same("burned", want)
		})
	}
}

// files are the bytes of an emulated disc.
func files(t *testing.T, path string) string {
	t.Helper()
	all, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	var s string
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s += filepath.Base(f) + string(b)
	}
	return s
}

// TestOtherDiscKeepsItsOpenTrack: what another program left open on a disc is not
// closed before it is known that this is the disc that was mounted.
func TestOtherDiscKeepsItsOpenTrack(t *testing.T) {
	for _, media := range []emu.Media{"cd-r", "dvd-r", "dvd+r", "bd-r"} {
		t.Run(string(media), func(t *testing.T) {
			other := newRig(t, media)
			other.open()
			other.put("them", make([]byte, 100_000))
			other.commit()
			other.put("theirs, too", make([]byte, 5_000_000))
			ctx, cancel := context.WithCancel(other.ctx)
			if _, err := other.disc.Commit(ctx, "test", func(p Progress) {
				if p.Phase == PhaseBurning && p.Done > 2_500_000 {
					cancel()
				}
			}); err == nil {
				t.Fatal("the commit was not interrupted")
			}
			other.close()

			r := newRig(t, media)
			r.open()
			r.put("mine", make([]byte, 100_000))
			r.commit()
			r.close()
			e, err := emu.Open(r.path, emu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			drive := &tray{e}
			if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
				t.Fatal(err)
			}
			r.put("staged", make([]byte, 200_000))
			before := files(t, other.path)
			e2, err := emu.Open(other.path, emu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			drive.Transport = e2
			if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, ErrWrongDisc) {
				t.Errorf("committing with another disc in the drive: %v", err)
			}
			drive.Transport = e
			if err := e2.Close(); err != nil {
				t.Error(err)
			}
			if files(t, other.path) != before {
				t.Error("the other disc was written to")
			}
			r.commit()
		})
	}
}

// dying is a drive that does nothing more after some WRITEs.
type dying struct {
	mmc.Transport
	writes int
}

func (d *dying) Execute(ctx context.Context, cmd *mmc.Command) error {
	if cmd.Opcode() == mmc.OpWrite10 {
		d.writes--
	}
	if d.writes < 0 {
		return errPower
	}
	return d.Transport.Execute(ctx, cmd)
}

// TestOtherDiscKeepsGrowing: a DVD-RW that was left growing is closed before it is
// read, but not if it can be seen that it is not the disc that was mounted.
func TestOtherDiscKeepsGrowing(t *testing.T) {
	other := newRig(t, growing)
	other.open()
	other.put("them", make([]byte, 100_000))
	other.commit()
	other.close()
	e, err := emu.Open(other.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	failing := &dying{e, 1 << 30}
	if other.disc, err = Open(other.ctx, mmc.NewDrive(failing, other.opt.Log), other.opt); err != nil {
		t.Fatal(err)
	}
	other.put("theirs, too", make([]byte, 3_000_000))
	failing.writes = 5
	if _, err := other.disc.Commit(other.ctx, "test", nil); err == nil {
		t.Fatal("the commit was not interrupted")
	}
	if err := other.disc.Close(context.Background()); err != nil {
		t.Log(err)
	}
	other.disc = nil

	r := newRig(t, "bd-re")
	r.open()
	r.put("mine", make([]byte, 100_000))
	r.commit()
	r.close()
	e, err = emu.Open(r.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drive := &tray{e}
	if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
		t.Fatal(err)
	}
	r.put("staged", make([]byte, 200_000))
	before := files(t, other.path)
	e2, err := emu.Open(other.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drive.Transport = e2
	if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, ErrWrongDisc) {
		t.Errorf("committing with another disc in the drive: %v", err)
	}
	drive.Transport = e
	if err := e2.Close(); err != nil {
		t.Error(err)
	}
	if files(t, other.path) != before {
		t.Error("the other disc was written to")
	}
	r.commit()
}
