package session

import (
	"context"
	"errors"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

// TestDriveFailsWhileVerifying: a drive that does not answer says nothing of
// the session that it has just written. On write-once media a second one may
// not even fit.
func TestDriveFailsWhileVerifying(t *testing.T) {
	for _, c := range []struct {
		reason string
		fault  faulty.Fault
		again  bool // the session has to be written again
	}{
		{"the cable", faulty.Lost(), false},
		{"reset", faulty.CheckCondition(mmc.KeyUnitAttention, 0x29, 0), false},
		{"not ready", faulty.CheckCondition(mmc.KeyNotReady, 0x3a, 0), false},
		{"the drive is broken", faulty.CheckCondition(mmc.KeyHardwareError, 0x44, 0), false},
		{"the drive wants the disc loaded again", faulty.CheckCondition(mmc.KeyIllegalRequest, 0x21, 0), false},
		{"the drive takes the track for one of another kind", faulty.CheckCondition(mmc.KeyIllegalRequest, 0x64, 0), false},
		{"the medium is bad", faulty.CheckCondition(mmc.KeyMediumError, 0x11, 0), true},
	} {
		t.Run(c.reason, func(t *testing.T) {
			r := newRig(t, "bd-r")
			e, err := emu.Open(r.path, emu.Options{})
			if err != nil {
				t.Fatal(err)
			}
			armed := false
			drive := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
				if _, _, ok := mmc.BlockRange(op.CDB); ok && armed {
					return c.fault
				}
				return nil
			}))
			if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
				t.Fatal(err)
			}
			r.put("f", make([]byte, 3<<20))
			want := r.manifest()
			ctx, cancel := context.WithCancel(r.ctx)
			defer cancel()
			_, err = r.disc.Commit(ctx, "test", func(p Progress) { armed = p.Phase == PhaseVerifying })
			armed = false
			if err == nil {
				t.Fatal("the fault had no effect")
			}
			if errors.Is(err, ErrVerify) != c.again {
				t.Errorf("the error is %v", err)
			}
			first := r.disc.Status().Disc.Sessions
			r.commit()
			r.same("after the second commit", want)
			if n := r.disc.Status().Disc.Sessions; n != 1 && !c.again {
				t.Errorf("%d sessions, and after the fault %d: it was burned again", n, first)
			}
		})
	}
}

// TestUnreadableUntilReloaded: a drive that reads what it has closed only after the
// disc was loaded again does not use up the disc, a session for every attempt.
func TestUnreadableUntilReloaded(t *testing.T) {
	r := newRig(t, "bd-r")
	r.open()
	r.put("old", []byte("old"))
	r.remount()
	r.close()
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closed, start := false, uint32(0)
	drive := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
		lba, _, ok := mmc.BlockRange(op.CDB)
		if closed && ok && op.Opcode == mmc.OpRead10 && lba >= start {
			return faulty.CheckCondition(mmc.KeyIllegalRequest, 0x21, 0)
		}
		return nil
	}))
	if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
		t.Fatal(err)
	}
	start = r.disc.info.NWA
	r.put("f", make([]byte, 3<<20))
	want := r.manifest()
	for range 2 {
		_, err := r.disc.Commit(r.ctx, "test", func(p Progress) { closed = closed || p.Phase == PhaseVerifying })
		if !errors.Is(err, ErrReload) {
			t.Fatalf("got %v, want %v", err, ErrReload)
		}
		r.same("after the drive refused to read", want)
	}
	if err := r.disc.Close(r.ctx); err != nil {
		t.Fatal(err)
	}
	r.disc = nil
	closed = false // the disc was loaded again
	r.open()
	r.commit()
	r.same("after the disc was loaded again", want)
	if n := r.disc.Status().Disc.Sessions; n != 2 {
		t.Errorf("%d sessions, want 2: it was burned again", n)
	}
}
