package session

import (
	"fmt"
	"testing"

	"burnfs/mmc/emu"
	"burnfs/mmc/recorder"
)

// TestCDModes commits three sessions to CDs that are written in all ways there
// are, and finalizes some with the last one.
func TestCDModes(t *testing.T) {
	for _, mode := range []recorder.Mode{recorder.ModeTAO, recorder.ModeSAO} {
		for _, xa := range []bool{false, true} {
			for _, final := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v xa %v final %v", mode, xa, final), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, emu.CDRW)
					r.opt.Mode, r.opt.XA = mode, xa
					for n := range 3 {
						r.opt.Finalize = final && n == 2
						r.open()
						r.put(fmt.Sprint("file", n), make([]byte, 100_000*n+1))
						want := r.manifest()
						if rep := r.commit(); rep.Session != n+1 {
							t.Errorf("session %d instead of %d", rep.Session, n+1)
						}
						r.same("after the commit", want)
						r.close()
						r.opt.XA = false // the disc says it from now on
						r.open()
						r.same("mounted again", want)
						for _, s := range r.disc.info.Sessions {
							if s.Tracks[0].XA != xa {
								t.Errorf("session %d: XA %v", s.Number, s.Tracks[0].XA)
							}
						}
						if r.disc.Status().ReadOnly != r.opt.Finalize {
							t.Errorf("session %d: read only %v", n+1, r.disc.Status().ReadOnly)
						}
						r.close()
					}
				})
			}
		}
	}
}
