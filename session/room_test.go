package session

import (
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/history"
)

// look is what a command does that does not mount the disc.
func (r *rig) look(do func(*mmc.Drive, *medium.Info, []history.Session)) {
	r.Helper()
	t, err := emu.Open(r.path, emu.Options{MaxBlocks: r.max})
	if err != nil {
		r.Fatal(err)
	}
	d := mmc.NewDrive(t, nil)
	defer func() {
		if err := d.Close(); err != nil {
			r.Error(err)
		}
	}()
	info, err := medium.Inspect(r.ctx, d)
	if err != nil {
		r.Fatal(err)
	}
	sessions, err := history.List(r.ctx, info, d)
	if err != nil {
		r.Fatal(err)
	}
	do(d, info, sessions)
}

// What is told without a mount is what the mount then says.
func TestRoomIsWhatAMountPromises(t *testing.T) {
	for _, name := range emu.MediaNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, emu.Media(name))
			if !emu.Media(name).TakesSessions() {
				r.open()
				if st := r.disc.Status(); !st.ReadOnly || st.FitsBytes != 0 {
					t.Errorf("a medium that takes no sessions is mounted as %+v", st)
				}
				r.close()
				return
			}
			for n := range 3 {
				var room int64
				r.look(func(d *mmc.Drive, info *medium.Info, sessions []history.Session) {
					var err error
					if room, err = Room(r.ctx, d, info, sessions); err != nil {
						t.Fatal(err)
					}
				})
				r.open()
				st := r.disc.Status()
				if room != st.FitsBytes || st.ReadOnly != (room == 0) {
					t.Errorf("after %d sessions: room for %d bytes, the mount says %d (%s)", n, room, st.FitsBytes, st.ReadOnlyReason)
				}
				if st.ReadOnly {
					return // such as a DVD-R DL
				}
				r.put("f", make([]byte, 100_000*(n+1)))
				r.commit()
				r.close()
			}
		})
	}
}

func TestFindWaiting(t *testing.T) {
	r := newRig(t, emu.DVDPlusR)
	find := func() (list []Waiting) {
		r.look(func(_ *mmc.Drive, info *medium.Info, sessions []history.Session) {
			var err error
			if list, err = FindWaiting(r.ctx, r.opt.StateDir, r.path, info, sessions, nil); err != nil {
				t.Fatal(err)
			}
		})
		return list
	}
	if list := find(); list != nil {
		t.Errorf("before the first mount: %+v", list)
	}
	r.open()
	r.put("f", []byte("text"))
	if err := r.disc.SyncStaging(r.ctx); err != nil {
		t.Fatal(err)
	}
	dir := r.disc.Status().StagingDir
	r.close()
	if list := find(); len(list) != 1 || list[0] != (Waiting{Dir: dir, Changes: true}) {
		t.Errorf("with a staged file: %+v", list)
	}
	r.open()
	r.commit()
	r.close()
	if list := find(); list != nil {
		t.Errorf("after the commit: %+v", list)
	}
}
