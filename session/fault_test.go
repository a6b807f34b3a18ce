package session

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
)

func unlessRead(f faulty.Fault) faulty.Fault {
	return func(ctx context.Context, drive mmc.Transport, cmd *mmc.Command) error {
		if _, _, ok := mmc.BlockRange(cmd.CDB); ok && cmd.Direction == mmc.FromDrive {
			return drive.Execute(ctx, cmd)
		}
		return f(ctx, drive, cmd)
	}
}

// TestSingleFaults makes one command of a commit fail, each in turn and each
// in several ways. The commit may succeed or not; in either case the mount
// shows every change, and a commit that follows ends well.
func TestSingleFaults(t *testing.T) {
	for _, f := range []struct {
		reason string
		fault  func() faulty.Fault
	}{
		{"the medium cannot be written or read there", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyMediumError, 0x0c, 0) }},
		{"an earlier write failed", func() faulty.Fault { return faulty.Deferred(mmc.KeyMediumError, 0x0c, 0) }},
		{"the cable: not done, no answer", faulty.Lost},
		{"the cable: done, no answer", func() faulty.Fault { return faulty.After(faulty.Lost()) }},
		// Of reads nobody could tell: they are what the medium's own error
		// correction is for.
		{"not done, and success told", func() faulty.Fault { return unlessRead(faulty.Pretend()) }},
	} {
		for _, m := range []emu.Media{"bd-r", "cd-r", "bd-re"} {
			t.Run(fmt.Sprintf("%s: %s", m, f.reason), func(t *testing.T) {
				t.Parallel()
				seed := newRig(t, m)
				seed.open()
				seed.put("old", make([]byte, 50_000))
				seed.remount()
				first := seed.manifest()
				seed.put("new", []byte("new data"))
				second := seed.manifest()
				seed.close()
				failed := 0
				for n := 0; ; n++ {
					r, remove := seed.clone()
					e, err := emu.Open(r.path, emu.Options{})
					if err != nil {
						t.Fatal(err)
					}
					armed, what := false, ""
					nth := faulty.Nth(n)
					w := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
						if armed && nth(op) {
							what = fmt.Sprintf("command %d, %v", n, op.Opcode)
							return f.fault()
						}
						return nil
					}))
					if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
						t.Fatal(err)
					}
					armed = true
					_, err = r.disc.Commit(r.ctx, "fault", nil)
					armed = false
					if w.Injected() == 0 {
						r.close()
						break
					}
					if err != nil {
						failed++
						var ce *CommitError
						if !errors.As(err, &ce) {
							t.Errorf("%s: the error is no CommitError: %v", what, err)
						}
					}
					r.same(what+", still mounted", second)
					r.commit()
					r.same(what+", committed", second)
					r.close()
					r.open()
					if p := r.disc.Tree().Pending(); !p.Empty() {
						t.Errorf("%s: %+v pending", what, p)
					}
					r.same(what+", mounted again", second)
					r.close()
					r.opt.Session = 1
					r.open()
					r.same(what+", first session", first)
					r.close()
					remove()
				}
				if failed == 0 {
					t.Error("no fault made the commit fail: they are not where they matter")
				}
			})
		}
	}
}
