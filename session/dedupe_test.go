package session

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/session/commit"
)

// noise is content that nothing else has.
func noise(seed uint64, size int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	p := make([]byte, size)
	_, _ = r.Read(p) // never fails
	return p
}

// remove removes a name of the top directory.
func (r *rig) remove(name string) {
	r.Helper()
	if err := r.disc.tree.Remove(r.ctx, r.disc.tree.Root(), name, false); err != nil {
		r.Fatal(err)
	}
}

// lba is where the content of a file of the disc begins.
func (r *rig) lba(name string) (lba uint32) {
	r.Helper()
	for v, err := range r.disc.base.Walk(r.ctx) {
		if err != nil {
			r.Fatal(err)
		}
		if v.Path == name {
			return v.Entry.Sections[0].LBA
		}
	}
	r.Fatalf("%s is not on the disc", name)
	return 0
}

// TestDedupe copies, moves and writes again what the disc has, and new content twice.
func TestDedupe(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		media  emu.Media
		off    bool
		reason string
	}{
		{emu.BDR, false, "a new place for every session"},
		{emu.BDRE, false, "descriptors are replaced"},
		{emu.CDR, false, "padding, and few blocks at a time"},
		{emu.DVDPlusR, false, "a gap between sessions"},
		{"", false, "a file"},
		{emu.BDR, true, "for whoever wants every copy twice, against scratches"},
	} {
		t.Run(row.media.String()+row.reason, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, row.media)
			r.opt.NoDedupe = row.off
			r.open()
			a, big, moved, twin := noise(1, 5000), noise(2, 300_001), noise(3, 4096), noise(4, 70_000)
			r.mkdir("/dir")
			r.put("/a", a)
			r.put("/dir/big", big)
			r.put("/moved", moved)
			r.put("/empty", nil)
			r.commit()

			r.put("/copy", big) // cp
			r.put("/a.tmp", a)  // rsync
			if err := r.disc.tree.Rename(r.ctx, r.disc.tree.Root(), "a.tmp", r.disc.tree.Root(), "a"); err != nil {
				t.Fatal(err)
			}
			r.put("/dir/moved", moved) // mv from one file system to another
			r.remove("moved")
			r.put("/dir/twin1", twin)
			r.put("/twin2", twin)
			r.put("/other", noise(5, 70_000)) // of the same size, no more
			f, want := r.forecast(), r.manifest()
			rep := r.commit()
			r.compare(f, rep)
			fresh, reused := int64(140_000), commit.Amount{Files: 4, Bytes: int64(len(a) + len(big) + len(moved) + len(twin))}
			if row.off {
				fresh, reused = fresh+reused.Bytes, commit.Amount{}
			}
			if rep.NewDataBytes != fresh || rep.Reused != reused || f.Reused != reused {
				t.Errorf("burned %d bytes and reused %+v (forecast %+v), want %d and %+v", rep.NewDataBytes, rep.Reused, f.Reused, fresh, reused)
			}
			r.same("burned", want)
			r.close()
			r.open()
			r.same("mounted again", want)
			if same := r.lba("copy") == r.lba("dir/big"); same == row.off {
				t.Error("the copy and what it is of: at one place is", same)
			}
			if r.dir("/dir/twin1").Ino() == r.dir("/twin2").Ino() {
				t.Error("two files became one")
			}

			// Each goes its own way.
			r.put("/twin2", twin[:100])
			if _, err := r.disc.tree.WriteAt(r.ctx, r.dir("/dir/big"), []byte("changed"), 1000, false); err != nil {
				t.Fatal(err)
			}
			want = r.manifest()
			r.commit()
			r.close()
			r.open()
			r.same("changed", want)
			if got := r.get(r.dir("/copy")); !bytes.Equal(got, big) {
				t.Error("the copy changed with its origin")
			}
			if got := r.get(r.dir("/dir/twin1")); !bytes.Equal(got, twin) {
				t.Error("a file changed with its twin")
			}
		})
	}
}

// TestDedupeResumes burns a plan in another process than it was made in, with changes
// that came later.
func TestDedupeResumes(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	old, twin := noise(1, 50_000), noise(2, 30_000)
	r.put("/old", old)
	r.commit()
	r.put("/copy", old)
	r.put("/copy2", old)
	r.put("/twin1", twin)
	r.put("/twin2", twin)
	if err := r.disc.plan(r.ctx, nil); err != nil {
		t.Fatal(err)
	}
	blocks := r.disc.job.plan.Blocks()
	for _, name := range []string{"/copy", "/twin2"} {
		if _, err := r.disc.tree.WriteAt(r.ctx, r.dir(name), []byte("late"), 20_000, false); err != nil {
			t.Fatal(err)
		}
	}
	want := r.manifest()
	r.close()
	r.open()
	r.disc.background.Wait() // it is taken up
	if rep := r.disc.Status().LastCommit; rep == nil || rep.Blocks != blocks || rep.NewDataBytes != int64(len(twin)) || rep.Reused.Files != 3 {
		t.Errorf("%+v, want %d blocks", rep, blocks)
	}
	r.same("taken up", want)
	r.commit()
	r.close()
	r.open()
	r.same("with what came later", want)
}

// TestDedupeLie meets a disc that records the SHA-256 of a new file for one of its own
// with other content.
func TestDedupeLie(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.open()
	r.put("/old", noise(1, 5000))
	r.commit()
	fresh := noise(2, 5000)
	array, err := r.disc.base.SHA256s(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	area := array.Area()
	r.close()
	r.damaged = true
	image, err := os.ReadFile(r.path)
	if err != nil {
		t.Fatal(err)
	}
	sums := image[int64(area.Array)*blockSize:][:area.Count*sha256.Size]
	sum := sha256.Sum256(fresh)
	copy(sums[sha256.Size:], sum[:])
	last := len(sums) - sha256.Size
	whole := sha256.Sum256(sums[:last])
	copy(sums[last:], whole[:])
	if err := os.WriteFile(r.path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.put("/new", fresh)
	rep := r.commit()
	if rep.NewDataBytes != 5000 || rep.Reused.Files != 0 {
		t.Errorf("the disc was believed: %+v", rep)
	}
	if n := r.dir("/new"); !bytes.Equal(r.get(n), fresh) {
		t.Error("the new file has another content")
	}
}

// TestDedupeUnreadable meets an old copy that cannot be read, and one beside it that
// can.
func TestDedupeUnreadable(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{false, true} {
		r := newRig(t, emu.BDR)
		r.opt.NoDedupe = true // so that there are two copies
		r.open()
		data := noise(1, 100_000)
		r.put("/old", data)
		if second {
			r.put("/second", data)
		}
		r.commit()
		bad := r.lba("old")
		r.close()
		r.opt.NoDedupe = false
		e, err := emu.Open(r.path, emu.Options{Log: r.opt.Log})
		if err != nil {
			t.Fatal(err)
		}
		w := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
			if op.Opcode == mmc.OpRead10 && op.LBA <= bad+40 && bad+40 < op.LBA+op.Blocks {
				return faulty.CheckCondition(mmc.KeyMediumError, 0x11, 0)
			}
			return nil
		}))
		if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
			t.Fatal(err)
		}
		r.put("/new", data)
		rep := r.commit()
		want := int64(len(data))
		if second {
			want = 0
		}
		if rep.NewDataBytes != want || w.Injected() == 0 {
			t.Errorf("%d bytes were burned, want %d; %d faults", rep.NewDataBytes, want, w.Injected())
		}
		if !bytes.Equal(r.get(r.dir("/new")), data) {
			t.Error("the new file has another content")
		}
	}
}

// TestDedupeOfOthers finds what xorriso has recorded, by its MD5s.
func TestDedupeOfOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	data := noise(1, 123_456)
	src := t.TempDir()
	if err := os.WriteFile(src+"/old", data, 0o600); err != nil {
		t.Fatal(err)
	}
	sh(t, src, `xorriso -md5 on -outdev stdio:`+r.path+` -map . / -commit 2>/dev/null`)
	r.open()
	r.put("/copy", data)
	rep := r.commit()
	if rep.NewDataBytes != 0 || rep.Reused.Files != 1 {
		t.Errorf("%+v", rep)
	}
	if !bytes.Equal(r.get(r.dir("/copy")), data) {
		t.Error("the copy has another content")
	}
}

// TestDedupeLeavesDeltas writes two files anew that are equal and nearly as before:
// keeping their old blocks saves more than recording one of them.
func TestDedupeLeavesDeltas(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.opt.Delta = 64 << 10
	r.open()
	data := noise(1, 1<<20)
	r.put("/a", data)
	r.put("/b", data)
	if rep := r.commit(); rep.NewDataBytes != 1<<20 {
		t.Errorf("%+v", rep)
	}
	copy(data[1<<19:], "changed")
	r.put("/a", data)
	r.put("/b", data)
	if rep := r.commit(); rep.NewDataBytes > 300_000 {
		t.Errorf("%+v", rep)
	}
	want := r.manifest()
	r.close()
	r.open()
	r.same("changed", want)
	if !bytes.Equal(r.get(r.dir("/b")), data) {
		t.Error("the content is another one")
	}
}
