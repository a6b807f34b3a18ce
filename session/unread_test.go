package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660/image"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/session/commit"
)

// TestCopyOfHeadHidesNoFile: a file that lies behind all that an image at block 0 says
// to hold is not replaced by the copy of its descriptors, which is written there.
func TestCopyOfHeadHidesNoFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	l, err := image.Plan(r.ctx, bigTree{5000}, image.Options{RockRidge: true, Now: time.Unix(1e9, 0), MinBlocks: 992})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(r.path)
	if err == nil {
		err = l.WriteTree(r.ctx, f)
	}
	if err == nil {
		err = f.Truncate(int64(l.Header().Blocks) * blockSize)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.damaged = true
	r.open()
	r.put("new", []byte("new"))
	if rep, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, commit.ErrAhead) {
		t.Errorf("%+v, %v", rep, err)
	}
	r.remove("big")
	r.commit()
}

// withFaults opens the disc in a drive that fails as plan says.
func (r *rig) withFaults(plan string) *faulty.Transport {
	r.Helper()
	e, err := emu.Open(r.path, emu.Options{Log: r.opt.Log})
	if err != nil {
		r.Fatal(err)
	}
	w := faulty.Wrap(e, nil)
	bad, err := faulty.ParsePlan(strings.NewReader(plan))
	if err != nil {
		r.Fatal(err)
	}
	w.SetInjector(bad.Injector(nil))
	if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
		r.Fatal(err)
	}
	return w
}

// TestNoAnswerPreventsNoCommit: blocks at which the bridge of a drive hangs are not
// needed for a file that was written over.
func TestNoAnswerPreventsNoCommit(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	r := newRig(t, emu.BDR)
	r.open()
	data := random(1, 8*mb)
	r.put("/f", data)
	r.commit()
	at := r.lba("f")
	r.close()
	r.damaged = true
	r.withFaults(fmt.Sprintf("READ(10) at %d: lost-answer", at+700))
	data[0]++ // else it is all the same
	r.put("/f", data)
	if rep := r.commit(); rep.NewDataBytes < mb || rep.NewDataBytes > 2*mb {
		t.Errorf("%d bytes were burned", rep.NewDataBytes)
	}
	r.close()
	r.open()
	if !bytes.Equal(r.get(r.dir("/f")), data) {
		t.Error("the file cannot be read as it was written")
	}
}

// TestScratchedDisc: a plan does not read one bad block after another to find out what
// need not be burned.
func TestScratchedDisc(t *testing.T) {
	t.Parallel()
	const files = 60
	r := newRig(t, emu.BDR)
	r.open()
	for i := range files {
		r.put(fmt.Sprintf("/%02d", i), noise(uint64(i), 70_000))
	}
	r.commit()
	at := r.lba("00")
	r.close()
	r.damaged = true
	w := r.withFaults(fmt.Sprintf("READ(10) at %d-%d: sense 3/11/00", at, at+files*35-1))
	for i := range files {
		r.put(fmt.Sprintf("/copy%02d", i), noise(uint64(i), 70_000))
	}
	if rep := r.commit(); rep.NewDataBytes != files*70_000 || rep.Reused.Files != 0 {
		t.Errorf("%+v", rep)
	}
	if n := w.Injected(); n < 10 || n > 200 {
		t.Errorf("%d reads failed", n)
	}
}

// TestDedupeCountsNames: a file of many names is not recorded in the many sections that
// the disc has of it, since that takes more than the content.
func TestDedupeCountsNames(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.opt.Delta = 4096
	r.open()
	data := noise(1, 1<<20)
	r.put("/f", data)
	r.commit()
	for i := range 8 {
		copy(data[i<<17:], noise(uint64(i+2), 4096))
		r.write("/f", int64(i)<<17, data[i<<17:][:4096])
	}
	r.commit()
	if _, _, n := r.sums("f"); n < 8 {
		t.Fatalf("%d sections", n)
	}
	r.put("/copy", data)
	root := r.disc.tree.Root()
	for i := range 800 {
		if err := r.disc.tree.Link(r.ctx, r.dir("/copy"), root, fmt.Sprint("copy", i)); err != nil {
			t.Fatal(err)
		}
	}
	r.disc.opt.NoDedupe = true
	without := r.forecast()
	r.disc.opt.NoDedupe = false
	with := r.forecast()
	if with.Blocks > without.Blocks {
		t.Errorf("%d blocks, and %d if it is recorded again", with.Blocks, without.Blocks)
	}
	r.commit()
	r.put("/one", data)
	if rep := r.commit(); rep.NewDataBytes != 0 {
		t.Errorf("one name: %+v", rep)
	}
	if !bytes.Equal(r.get(r.dir("/copy7")), data) {
		t.Error("a name shows another content")
	}
}

// TestTailLost: what was kept beside the plan so that reading back takes less time is
// cut. The session is not given up for it.
func TestTailLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	r.put("/f", noise(1, 100_000))
	want := r.manifest()
	_, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
		if p.Phase == PhaseVerifying {
			if err := os.Truncate(filepath.Join(r.disc.planDir(), "tail"), 1); err != nil {
				t.Error(err)
			}
		}
	})
	if err == nil {
		t.Fatal("the tail was not used")
	}
	if rep := r.commit(); rep.Start != 0 || rep.Session != 1 {
		t.Errorf("%+v", rep)
	}
	r.same("burned", want)
}

// TestGoneWhileComparing: a drive that goes away while a plan looks for what the disc
// has ends it. Else all would be burned again when it is back.
func TestGoneWhileComparing(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	data := noise(1, 100_000)
	r.put("/f", data)
	r.commit()
	at := r.lba("f")
	r.close()
	e, err := emu.Open(r.path, emu.Options{Log: r.opt.Log})
	if err != nil {
		t.Fatal(err)
	}
	away := false
	w := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
		if away && op.Opcode == mmc.OpRead10 && op.LBA <= at+40 && at+40 < op.LBA+op.Blocks {
			return faulty.CheckCondition(mmc.KeyNotReady, 0x3a, 0)
		}
		return nil
	}))
	if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
		t.Fatal(err)
	}
	r.put("/copy", data)
	away = true
	if rep, err := r.disc.Commit(r.ctx, "test", nil); err == nil || r.disc.job != nil {
		t.Errorf("%+v, %v", rep, err)
	}
	away = false
	if rep := r.commit(); rep.NewDataBytes != 0 {
		t.Errorf("%+v", rep)
	}
}
