package session

import (
	"context"
	"strings"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

// TestDoorAfterReset: a reset opens the lock of the door, as when the computer
// slept. A burn that comes after it is not to be ended by a button.
func TestDoorAfterReset(t *testing.T) {
	r := newRig(t, "dvd+r")
	r.open()
	r.close()
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drive := faulty.Wrap(e, nil)
	d := mmc.NewDrive(drive, r.opt.Log)
	if r.disc, err = Open(r.ctx, d, r.opt); err != nil {
		t.Fatal(err)
	}
	r.put("staged", make([]byte, 100_000))
	plan, err := faulty.ParsePlan(strings.NewReader("TEST UNIT READY 1: sense 6/29/00"))
	if err != nil {
		t.Fatal(err)
	}
	drive.SetInjector(plan.Injector(nil))
	burned := false
	if _, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
		if p.Phase == PhaseBurning && !burned {
			burned = true
			caps, err := d.SenseCapabilities(context.Background())
			if err != nil {
				t.Error(err)
			}
			if !caps.Locked() {
				t.Error("the door is open while the disc is burned")
			}
		}
	}); err != nil {
		t.Error(err)
	}
	if !burned || drive.Injected() == 0 {
		t.Errorf("burned: %v, resets: %d", burned, drive.Injected())
	}
}
