package session

import (
	"errors"
	"fmt"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// TestRoomAfterACut: the track of a burn that was cut off can hold nothing more on
// a CD, and until it is closed a drive tells of no room at all. Files can be
// written right after the mount nevertheless, and be burned, also when the mount
// after it was cut off, too.
func TestRoomAfterACut(t *testing.T) {
	for _, mode := range []recorder.Mode{recorder.ModeTAO, recorder.ModeSAO} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, emu.CDR)
			r.opt.Mode = mode
			r.damaged = true
			r.open()
			r.put("first", []byte("first"))
			r.remount()
			roomy := r.disc.Status().FitsBytes
			r.put("second", make([]byte, 3_000_000))
			r.close()
			for n := 30; !cutTrack(r); n++ {
				if n > 300 {
					t.Fatal("no cut leaves a track that cannot be written")
				}
				cutCommit(r, n)
			}
			for n := 0; n < 42; n += 3 {
				c, remove := r.clone()
				cutMount(c, n)
				c.open()
				if fits := c.disc.Status().FitsBytes; fits < roomy-60<<20 {
					t.Errorf("a mount cut before command %d: %d bytes fit at the next; %d did before the cut", n, fits, roomy)
				}
				c.put("third", make([]byte, 100_000))
				c.disc.background.Wait()
				if fits := c.disc.Status().FitsBytes; fits < roomy-60<<20 {
					t.Errorf("a mount cut before command %d: %d bytes fit when the burn was given up at the next; %d did before the cut", n, fits, roomy)
				}
				c.put("fourth", make([]byte, 100_000))
				want := c.manifest()
				c.commit()
				c.close()
				c.open()
				c.same("burned in the end", want)
				c.close()
				remove()
			}
		})
	}
}

// cutTrack tells whether the disc has a track that was cut off for good.
func cutTrack(r *rig) bool {
	r.Helper()
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		r.Fatal(err)
	}
	d := mmc.NewDrive(e, r.opt.Log)
	info, err := medium.Inspect(r.ctx, d)
	if err := errors.Join(err, d.Close()); err != nil {
		r.Fatal(err)
	}
	return info.OpenTrack != nil && !info.OpenTrack.NWAValid
}

// mortally mounts with a drive that dies before its nth command.
func mortally(r *rig, n int) (*mortal, error) {
	r.Helper()
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		r.Fatal(err)
	}
	drive := &mortal{Transport: e, left: n}
	r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt)
	return drive, err
}

// cutCommit lets the drive die before the nth command of a commit.
func cutCommit(r *rig, n int) {
	r.Helper()
	drive, err := mortally(r, 1<<30)
	if err != nil {
		r.Fatal(err)
	}
	r.disc.background.Wait()
	drive.left = n
	if _, err := r.disc.Commit(r.ctx, "cut", nil); err == nil {
		r.Fatal("the commit was not cut")
	}
	drive.left = 1 << 30
	r.close()
}

// cutMount lets the drive die before the nth command of a mount.
func cutMount(r *rig, n int) {
	r.Helper()
	drive, err := mortally(r, n)
	if err != nil {
		return // Open has let go of the drive
	}
	r.disc.background.Wait()
	drive.left = 1 << 30
	r.close()
}
