package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/iso9660/zisofs/zisofstest"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/history"
	"burnfs/session/tree"
)

// packedRig is a rig with an image in which others recorded zisofstest.Files.
func packedRig(t *testing.T, name string) (*rig, map[string][]byte) {
	t.Helper()
	b := fixture.Unpack(t, filepath.Join("..", "iso9660", "zisofs", "testdata", name+".iso.gz"))
	r := newRig(t, "")
	if err := os.WriteFile(r.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return r, zisofstest.Files()
}

// node finds a file.
func (r *rig) node(path string) *tree.Node { r.Helper(); return r.dir(path) }

// has demands that the tree has just these files.
func (r *rig) has(when string, want map[string][]byte) {
	r.Helper()
	list, err := r.disc.Tree().ReadDir(r.ctx, r.disc.Tree().Root())
	if err != nil {
		r.Fatal(err)
	}
	names := 0
	for _, e := range list {
		if e.Name == "." || e.Name == ".." {
			continue
		}
		names++
		if got := r.get(r.node(e.Name)); !bytes.Equal(got, want[e.Name]) {
			r.Errorf("%s: %s has %d bytes that are not the %d expected", when, e.Name, len(got), len(want[e.Name]))
		}
	}
	if names != len(want) {
		r.Errorf("%s: %d names instead of %d", when, names, len(want))
	}
}

// recordedZF are the ZF entries that the newest session of a closed rig has, and the
// first block of each file with one.
func (r *rig) recordedZF() (zf map[string]zisofs.ZF, lba map[string]uint32) {
	r.Helper()
	e, err := emu.Open(r.path, emu.Options{ReadOnly: true})
	if err != nil {
		r.Fatal(err)
	}
	drive := mmc.NewDrive(e, r.opt.Log)
	defer drive.Close()
	info, err := medium.Inspect(r.ctx, drive)
	if err != nil {
		r.Fatal(err)
	}
	disc := blocks.New(drive)
	sessions, err := history.List(r.ctx, info, disc)
	if err != nil {
		r.Fatal(err)
	}
	v, err := volume.Open(r.ctx, disc, sessions[len(sessions)-1].Start, volume.Options{})
	if err != nil {
		r.Fatal(err)
	}
	zf, lba = map[string]zisofs.ZF{}, map[string]uint32{}
	for visit, err := range v.Walk(r.ctx) {
		if err != nil {
			r.Fatal(err)
		}
		if e := visit.Entry; e.ZF != nil {
			zf[visit.Path], lba[visit.Path] = *e.ZF, e.Sections[0].LBA
		}
	}
	return zf, lba
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// TestCompressedFiles: files that others compressed are read uncompressed, stay as they
// are recorded as long as only names and attributes change, and are recorded anew when
// their content changes.
func TestCompressedFiles(t *testing.T) {
	for _, name := range []string{"xorriso-32k", "xorriso-z2", "genisoimage"} {
		t.Run(name, func(t *testing.T) {
			r, want := packedRig(t, name)
			before, places := r.recordedZF()
			r.open()
			r.has("as others recorded it", want)
			tr, root := r.disc.Tree(), r.disc.Tree().Root()

			mode, mtime := uint32(0o600), time.Unix(1e9, 0)
			_, err := tr.SetAttr(r.ctx, r.node("holes"), tree.SetAttr{Mode: &mode, Mtime: &mtime})
			r.must(err)
			r.must(tr.SetXattr(r.ctx, r.node("holes"), "user.note", []byte("kept"), 0))
			r.must(tr.Rename(r.ctx, root, "several", root, "renamed"))
			r.must(tr.Link(r.ctx, r.node("exact"), root, "linked"))
			want["renamed"], want["linked"] = want["several"], want["exact"]
			delete(want, "several")

			write := func(name string, off int, s string) {
				t.Helper()
				_, err := tr.WriteAt(r.ctx, r.node(name), []byte(s), int64(off), false)
				r.must(err)
				b := bytes.Clone(want[name])
				b = append(b, make([]byte, max(0, off+len(s)-len(b)))...)
				copy(b[off:], s)
				want[name] = b
			}
			cut := func(name string, size int64) {
				t.Helper()
				_, err := tr.SetAttr(r.ctx, r.node(name), tree.SetAttr{Size: &size})
				r.must(err)
				b := append(bytes.Clone(want[name]), make([]byte, max(0, size-int64(len(want[name]))))...)
				want[name] = b[:size]
			}
			write("one block", len(want["one block"]), "appended")
			write("zeros", 250_000, "in the middle")
			cut("many pointers", 100_000)
			r.has("changed", want)
			if p := tr.Pending(); p.Bytes != int64(len("appended")+len("in the middle")) {
				t.Errorf("%d bytes are staged", p.Bytes)
			}
			r.close()
			r.open()
			r.has("mounted again", want)
			if rep := r.commit(); rep.NewDataBytes > 4<<20 {
				t.Errorf("%d bytes were burned", rep.NewDataBytes)
			}
			r.has("committed", want)
			r.close()
			now, nowAt := r.recordedZF()
			same := map[string]string{"holes": "holes", "renamed": "several", "exact": "exact", "linked": "exact"}
			if len(now) != len(same)+len(before)-6 {
				t.Errorf("%d files have a ZF entry: %v", len(now), nowAt)
			}
			for to, from := range same {
				if now[to] != before[from] || nowAt[to] != places[from] {
					t.Errorf("%s: ZF %x at block %d was %x at block %d", to, now[to], nowAt[to], before[from], places[from])
				}
			}
			r.open()
			r.has("from the new session", want)
			tr = r.disc.Tree()
			write("renamed", 70_000, "second")
			r.commit()
			r.close()
			if again, _ := r.recordedZF(); again["holes"] != before["holes"] || again["renamed"] != (zisofs.ZF{}) {
				t.Errorf("in the third session: %x", again)
			}
			r.open()
			r.has("from the third session", want)
		})
	}
}

// TestCompressedMeanwhile changes compressed files while a session is burned, with and
// without a change before.
func TestCompressedMeanwhile(t *testing.T) {
	r, want := packedRig(t, "xorriso-128k")
	r.open()
	write := func(name string, off int64, s string) {
		t.Helper()
		_, err := r.disc.Tree().WriteAt(r.ctx, r.node(name), []byte(s), off, false)
		r.must(err)
		copy(want[name][off:], s)
	}
	write("several", 100, "before")
	write("exact", 100, "before")
	r.during(PhaseBurning, func() {
		write("several", 50_000, "meanwhile")
		write("holes", 50_000, "meanwhile")
		mode := uint32(0o400)
		_, err := r.disc.Tree().SetAttr(r.ctx, r.node("many pointers"), tree.SetAttr{Mode: &mode})
		r.must(err)
		r.has("meanwhile", want)
	})
	r.has("published", want)
	r.close()
	r.open()
	r.has("mounted again", want)
	r.commit()
	r.has("committed", want)
	r.close()
	zf, _ := r.recordedZF()
	for _, name := range []string{"several", "exact", "holes"} {
		if _, ok := zf[name]; ok {
			t.Errorf("%s still has a ZF entry", name)
		}
	}
	if _, ok := zf["many pointers"]; !ok {
		t.Error("the attributes alone cost a file its ZF entry")
	}
	r.open()
	r.has("from the last session", want)
}

// TestCompressedCut lets the drive die at every fifth command of a commit that decodes
// a file: the next mount finishes it from the plan, or makes another.
func TestCompressedCut(t *testing.T) {
	r, want := packedRig(t, "xorriso-v2")
	r.open()
	_, err := r.disc.Tree().WriteAt(r.ctx, r.node("several"), []byte("changed"), 1000, false)
	r.must(err)
	copy(want["several"][1000:], "changed")
	r.must(r.disc.Tree().Rename(r.ctx, r.disc.Tree().Root(), "holes", r.disc.Tree().Root(), "moved"))
	want["moved"] = want["holes"]
	delete(want, "holes")
	r.close()
	for n := 2; ; n += 5 {
		c, remove := r.clone()
		c.damaged = true // what was cut is found among the sessions
		e, err := emu.Open(c.path, emu.Options{})
		r.must(err)
		drive := &mortal{Transport: e, left: 1 << 30}
		c.disc, err = Open(c.ctx, mmc.NewDrive(drive, c.opt.Log), c.opt)
		r.must(err)
		c.disc.background.Wait()
		drive.left = n
		_, _ = c.disc.Commit(c.ctx, "cut", nil) // may fail or not
		died := drive.left < 0
		drive.left = 1 << 30
		what := fmt.Sprintf("cut before command %d", n)
		c.has(what+", still mounted", want)
		c.close()
		c.open()
		c.disc.background.Wait()
		c.commit()
		c.has(what+", committed", want)
		c.close()
		zf, _ := c.recordedZF()
		if _, ok := zf["moved"]; !ok || zf["several"] != (zisofs.ZF{}) {
			t.Errorf("%s: ZF entries %x", what, zf)
		}
		remove()
		if !died {
			if n < 10 {
				t.Error("the fault is not where the commit is")
			}
			return
		}
	}
}
