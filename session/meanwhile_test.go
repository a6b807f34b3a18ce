package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/recorder"
	"burnfs/session/tree"
)

// during commits and calls do once, when the commit has come to phase.
func (r *rig) during(phase string, do func()) {
	r.Helper()
	done := false
	if _, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
		if p.Phase == phase && !done {
			done = true
			do()
		}
	}); err != nil {
		r.Fatal(err)
	}
	if !done {
		r.Fatalf("the commit never was at %q", phase)
	}
}

// A name that is taken away while the session with it is burned stays away,
// also after mounting again: for a file that was renamed meanwhile, a second
// name that nobody counts would take its data along when it is removed.
func TestNamesTakenAwayWhileBurning(t *testing.T) {
	for _, remount := range []bool{false, true} {
		r := newRig(t, "bd-r")
		r.open()
		r.put("removed", []byte("removed"))
		r.put("file.tmp", []byte("precious"))
		r.during(PhaseBurning, func() {
			tr := r.disc.Tree()
			if err := errors.Join(
				tr.Remove(r.ctx, tr.Root(), "removed", false),
				tr.Rename(r.ctx, tr.Root(), "file.tmp", tr.Root(), "file")); err != nil {
				t.Fatal(err)
			}
		})
		want := r.manifest()
		if remount {
			r.close()
			r.open()
		}
		r.same("while staged", want)
		r.remount()
		r.same("after the next commit", want)
		if _, err := r.disc.Tree().Lookup(r.ctx, r.dir(""), "file.tmp"); !errors.Is(err, tree.ErrNotExist) {
			t.Errorf("the old name: %v", err)
		}
	}
}

// A medium that cannot be read while it is recorded: who reads meanwhile waits.
func TestReadWhileUnreadable(t *testing.T) {
	for _, c := range []struct {
		media emu.Media
		mode  recorder.Mode
	}{
		{growing, recorder.ModeDefault},
		{"cd-r", recorder.ModeSAO},
	} {
		t.Run(fmt.Sprint(c.media, " ", c.mode), func(t *testing.T) {
			r := newRig(t, c.media)
			r.opt.Mode = c.mode
			r.open()
			old := bytes.Repeat([]byte("old"), 100_000)
			r.put("old", old)
			r.commit()
			r.close()

			e := r.insert(r.path)
			burning, refused := atomic.Bool{}, make(chan struct{})
			once := sync.Once{}
			w := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
				if op.Opcode != mmc.OpRead10 || !burning.Load() {
					return nil
				}
				return func(ctx context.Context, d mmc.Transport, cmd *mmc.Command) error {
					err := d.Execute(ctx, cmd)
					if errors.Is(err, mmc.ErrSequence) {
						once.Do(func() { close(refused) })
					}
					return err
				}
			}))
			var err error
			if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
				t.Fatal(err)
			}
			n, err := r.disc.Tree().Lookup(r.ctx, r.dir(""), "old")
			if err != nil {
				t.Fatal(err)
			}
			r.put("new", make([]byte, 4<<20))
			read := make(chan error, 1)
			if _, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
				if p.Phase != PhaseBurning || p.Done < 2<<20 || burning.Swap(true) {
					return
				}
				go func() {
					got := make([]byte, len(old))
					_, err := r.disc.Tree().ReadAt(r.ctx, n, got, 0)
					if err == nil && !bytes.Equal(got, old) {
						err = errors.New("other bytes are read")
					}
					read <- err
				}()
				select {
				case <-refused:
				case err := <-read:
					t.Errorf("the read ended while the disc is burned: %v", err)
					read <- nil
				}
			}); err != nil {
				t.Fatal(err)
			}
			if err := <-read; err != nil {
				t.Errorf("reading while a session is burned: %v", err)
			}
			r.close()
		})
	}
}
