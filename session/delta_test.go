package session

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/session/commit"
	"burnfs/session/tree"
)

// random is data that does not repeat.
func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func (r *rig) write(path string, off int64, data []byte) {
	r.Helper()
	if _, err := r.disc.Tree().WriteAt(r.ctx, r.dir(path), data, off, false); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) truncate(path string, size int64) {
	r.Helper()
	if _, err := r.disc.Tree().SetAttr(r.ctx, r.dir(path), tree.SetAttr{Size: &size}); err != nil {
		r.Fatal(err)
	}
}

// replace is what rsync does: a file under another name takes the old one's.
func (r *rig) replace(path string, data []byte) {
	r.Helper()
	r.put(path+".tmp", data)
	root := r.disc.Tree().Root()
	if err := r.disc.Tree().Rename(r.ctx, root, path+".tmp", root, path); err != nil {
		r.Fatal(err)
	}
}

// sums are the checksums that the base records of a file, which has n sections.
func (r *rig) sums(path string) (md5Sum *[md5.Size]byte, sha *[sha256.Size]byte, n int) {
	r.Helper()
	b := r.disc.base
	for visit, err := range b.Walk(r.ctx) {
		if err != nil {
			r.Fatal(err)
		}
		if visit.Path != path {
			continue
		}
		if n = len(visit.Entry.Sections); visit.Entry.ChecksumIndex == 0 {
			return nil, nil, n
		}
		var opt commit.Options
		if err := r.disc.recorded(r.ctx, b, &opt); err != nil {
			r.Fatal(err)
		}
		if md5Sum, sha, err = opt.Checksums(r.ctx, visit.Entry.ChecksumIndex); err != nil {
			r.Fatal(err)
		}
		return md5Sum, sha, n
	}
	r.Fatalf("%s is not on the disc", path)
	return nil, nil, 0
}

// TestDeltaSessions changes a file in many ways, a session each, and counts the bytes
// that are burned of it.
func TestDeltaSessions(t *testing.T) {
	const unit = 1 << 18
	for _, media := range []emu.Media{"bd-r", "dvd+rw", ""} {
		t.Run("media="+string(media), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, media)
			r.opt.Delta = 4 * unit
			r.open()
			data := random(1, 8*unit+100)
			r.put("f", data)
			r.remount()
			for _, step := range []struct {
				reason   string
				do       func()
				new      int64 // bytes of the file that are burned
				sections int
			}{
				{"256 KiB appended, and the block that was partly filled", func() {
					data = append(data, random(2, unit)...)
					r.write("f", 8*unit+100, data[8*unit+100:])
				}, unit + 100, 2},
				{"64 KiB in the middle", func() {
					copy(data[3*unit:], random(3, 64<<10))
					r.write("f", 3*unit, data[3*unit:3*unit+64<<10])
				}, 64 << 10, 4},
				{"one byte", func() {
					data[5*unit+3000]++
					r.write("f", 5*unit+3000, data[5*unit+3000:][:1])
				}, 2048, 6},
				{"the same bytes, as cp writes them", func() {
					r.put("f", data)
				}, 0, 6},
				{"one block of all that is written again", func() {
					data[2*unit]++
					r.put("f", data)
				}, 2048, 8},
				{"another file in its place, as rsync has it, with two blocks changed", func() {
					data[6*unit+2047]++
					data[6*unit+2048]++
					r.replace("f", data)
				}, 4096, 10},
				{"a hole", func() {
					clear(data[unit : unit+128<<10])
					if err := r.disc.Tree().Allocate(r.ctx, r.dir("f"), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, unit, 128<<10); err != nil {
						t.Fatal(err)
					}
				}, 128 << 10, 12},
				{"cut inside of a block", func() {
					data = data[:8*unit+1]
					r.truncate("f", 8*unit+1)
				}, 0, 12},
				{"a byte more, and the block that was partly filled", func() {
					data = append(data, 'x')
					r.write("f", 8*unit+1, data[8*unit+1:])
				}, 2, 12},
				{"less than 32 KiB between two changes are burned with them", func() {
					data[4*unit]++
					data[4*unit+8192]++
					r.write("f", 4*unit, data[4*unit:][:1])
					r.write("f", 4*unit+8192, data[4*unit+8192:][:1])
				}, 8192 + 2048, 14},
				{"shifted by a block: nothing is as it was at its place", func() {
					data = append(random(4, 2048), data...)
					r.put("f", data)
				}, 8*unit + 2 + 2048, 1},
			} {
				step.do()
				plan, err := r.disc.Forecast(r.ctx)
				if err != nil {
					t.Fatal(err)
				}
				want := r.manifest()
				rep := r.remount()
				r.same(step.reason, want)
				if rep.NewDataBytes != step.new {
					t.Errorf("%s: %d bytes were burned, want %d", step.reason, rep.NewDataBytes, step.new)
				}
				if plan.Blocks != rep.Blocks || plan.New.Bytes != step.new {
					t.Errorf("%s: a session of %d blocks with %d bytes was foretold, and has %d", step.reason, plan.Blocks, plan.New.Bytes, rep.Blocks)
				}
				md, sha, n := r.sums("f")
				if md == nil || *md != md5.Sum(data) || sha == nil || *sha != sha256.Sum256(data) {
					t.Errorf("%s: recorded checksums are %x and %x", step.reason, md, sha)
				}
				if n != step.sections {
					t.Errorf("%s: %d sections, want %d", step.reason, n, step.sections)
				}
			}
		})
	}
}

// TestDeltaOff burns a changed file anew, and keeps what nobody changed.
func TestDeltaOff(t *testing.T) {
	const mb = 1 << 20
	r := newRig(t, "bd-re")
	r.open()
	r.put("f", random(1, 6*mb))
	r.put("g", random(2, 6*mb))
	r.remount()
	r.write("f", mb, []byte("x"))
	r.write("g", mb, []byte("x"))
	if rep := r.commit(); rep.NewDataBytes != 2*2048 {
		t.Fatalf("%d bytes for two blocks", rep.NewDataBytes)
	}
	r.close()
	r.opt.Delta = tree.DeltaOff
	r.open()
	r.write("f", 2*mb, []byte("x"))
	mode := uint32(0o600)
	if _, err := r.disc.Tree().SetAttr(r.ctx, r.dir("g"), tree.SetAttr{Mode: &mode}); err != nil {
		t.Fatal(err)
	}
	want := r.manifest()
	if rep := r.remount(); rep.NewDataBytes != 6*mb {
		t.Errorf("%d bytes, want all of f", rep.NewDataBytes)
	}
	r.same("written anew", want)
	if _, _, n := r.sums("f"); n != 1 {
		t.Errorf("f has %d sections", n)
	}
	if _, _, n := r.sums("g"); n != 3 {
		t.Errorf("g has %d sections", n)
	}
}

// TestDeltaManyPages changes more pages of a file than the books look at, as databases
// do: far apart from each other, and all in one part of it.
func TestDeltaManyPages(t *testing.T) {
	const mb = 1 << 20
	r := newRig(t, "bd-r")
	r.open()
	r.put("db", random(1, 16*mb))
	r.remount()
	for i := range int64(200) {
		r.write("db", mb+i*3*4096, random(uint64(i), 4096))
	}
	r.write("db", 12*mb, random(1000, 4096))
	want := r.manifest()
	// From the first page to the last one, and one more.
	if rep := r.remount(); rep.NewDataBytes != 199*3*4096+4096+4096 {
		t.Errorf("%d bytes were burned", rep.NewDataBytes)
	}
	r.same("read back", want)
}

// TestDeltaInterrupted: a burn that was cut off is taken up as it was planned,
// whatever the next mount says.
func TestDeltaInterrupted(t *testing.T) {
	const mb = 1 << 20
	for _, was := range []tree.Delta{tree.DeltaAuto, tree.DeltaOff} {
		t.Run(was.String(), func(t *testing.T) {
			r := newRig(t, "bd-r")
			r.opt.Delta = was
			r.open()
			data := random(1, 6*mb)
			r.put("f", data)
			r.commit()
			data[3*mb]++
			r.put("f", data)
			ctx, cancel := context.WithCancel(r.ctx)
			if _, err := r.disc.Commit(ctx, "test", func(p Progress) {
				if p.Phase == PhaseBurning && p.Done > 0 {
					cancel()
				}
			}); err == nil {
				t.Fatal("the burn was not cut off")
			}
			start := r.disc.job.plan.Start()
			stream := sha256.New()
			if err := r.disc.job.plan.Stream(r.ctx, r.disc.planDir(), r.disc.store, stream, nil); err != nil {
				t.Fatal(err)
			}
			blocks := r.disc.job.plan.Blocks()
			want := r.manifest()
			r.close()
			r.opt.Delta = tree.DeltaOff - was
			r.open()
			r.disc.background.Wait()
			r.commit()
			r.same("taken up", want)
			got := make([]byte, int64(blocks)*blockSize)
			if err := r.disc.drive.ReadBlocks(r.ctx, start, got); err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(got); !bytes.Equal(sum[:], stream.Sum(nil)) {
				t.Error("the session is not the one that was planned")
			}
			if len(r.disc.sessions) != 2 {
				t.Errorf("%d sessions", len(r.disc.sessions))
			}
		})
	}
}

// TestDeltaMeanwhile changes a file while it is burned that was found to be on the disc
// for the most part: what is staged of it is not needed any more but the change.
func TestDeltaMeanwhile(t *testing.T) {
	const mb = 1 << 20
	r := newRig(t, "bd-r")
	r.open()
	data := random(1, 6*mb)
	r.put("f", data)
	r.commit()
	data[mb]++
	r.put("f", data)
	r.during(PhaseBurning, func() { r.write("f", 4*mb, []byte("meanwhile")) })
	want := r.manifest()
	if p := r.disc.Tree().Pending(); p.Bytes > 2048 {
		t.Errorf("%d bytes are to be burned for one change", p.Bytes)
	}
	r.close()
	r.open()
	r.same("staged", want)
	if rep := r.remount(); rep.NewDataBytes != 2048 {
		t.Errorf("%d bytes were burned for one change", rep.NewDataBytes)
	}
	r.same("burned", want)
}

// bigTree is a disc of somebody with one file of which nobody wrote a byte.
type bigTree struct{ size int64 }

func (b bigTree) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: 0o40755, Nlink: 2}, nil
}

func (b bigTree) Children(context.Context, image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		yield(image.Node{ID: 2, Name: "big", Mode: 0o100644, Nlink: 1, Pieces: []image.Piece{{Size: b.size, Old: true, LBA: 1000}}}, nil)
	}
}

// TestDeltaOfHugeFile changes a file that is larger than a section can be: a session
// has what is new and the tree, and no more of the file is read.
func TestDeltaOfHugeFile(t *testing.T) {
	const (
		mb   = int64(1 << 20)
		size = 5<<30 + 100
		most = 300 // blocks that a session of one name takes without data
	)
	r := newRig(t, "")
	l, err := image.Plan(r.ctx, bigTree{size}, image.Options{RockRidge: true, Now: time.Unix(1e9, 0), MinBlocks: 1000 + size/2048 + 1})
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
	r.damaged = true // programs that read all of it would take too long
	r.max = 3 << 20
	r.open()
	for _, step := range []struct {
		reason   string
		do       func()
		new      int64
		sections int
	}{
		{"1 MiB appended", func() { r.write("big", size, random(1, int(mb))) }, mb + 100, 3},
		{"1 MiB in its middle", func() { r.write("big", 2<<30+1, random(2, int(mb))) }, mb + 2048, 4},
		{"the same 1 MiB once more", func() { r.write("big", 2<<30+1, random(2, int(mb))) }, 0, 4},
		{"cut", func() { r.truncate("big", 3<<30+7) }, 0, 3},
	} {
		step.do()
		rep := r.remount()
		if rep.NewDataBytes != step.new || int64(rep.Blocks) > step.new/blockSize+most {
			t.Errorf("%s: %d bytes in %d blocks, want %d", step.reason, rep.NewDataBytes, rep.Blocks, step.new)
		}
		md, _, n := r.sums("big")
		if md != nil || n != step.sections {
			t.Errorf("%s: %d sections, want %d; the checksum %x of a file that was not read", step.reason, n, step.sections, md)
		}
	}
	got := make([]byte, mb+2)
	if _, err := r.disc.Tree().ReadAt(r.ctx, r.dir("big"), got, 2<<30); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if want := append(append([]byte{0}, random(2, int(mb))...), 0); !bytes.Equal(got, want) {
		t.Error("the file's middle is not what was written")
	}
}

// TestDeltaProbes: of a file that has nothing to do with the one in its place, little is
// read to find that out.
func TestDeltaProbes(t *testing.T) {
	const size = 17 << 20
	r := newRig(t, "bd-r")
	r.open()
	data := random(1, size)
	r.put("f", data)
	r.commit()
	r.close()
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64 // blocks
	w := faulty.Wrap(e, faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
		if op.Opcode == mmc.OpRead10 {
			read.Add(int64(op.Blocks))
		}
		return nil
	}))
	if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason string
		data   []byte
		new    int64
		most   int64 // blocks that are read
	}{
		{"another file", random(2, size), size, 16*32 + 200},
		{"the same with one byte changed", append(append(bytes.Clone(data[:5000]), data[5000]+1), data[5001:]...), 6144, size/blockSize + 200},
	} {
		r.put("f", c.data)
		read.Store(0)
		plan, err := r.disc.Forecast(r.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n := read.Load(); plan.New.Bytes != c.new || n > c.most {
			t.Errorf("%s: %d bytes are new, want %d; %d blocks were read, want %d at most", c.reason, plan.New.Bytes, c.new, n, c.most)
		}
	}
}

// TestDeltaUnreadable: what cannot be read any more is burned again from what was
// staged over it, and keeps no commit from being made.
func TestDeltaUnreadable(t *testing.T) {
	const mb = 1 << 20
	r := newRig(t, "bd-r")
	r.open()
	data := random(1, 8*mb)
	r.put("f", data)
	r.commit()
	var at uint32
	for visit, err := range r.disc.base.Walk(r.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if visit.Path == "f" {
			at = visit.Entry.Sections[0].LBA
		}
	}
	r.close()
	r.damaged = true
	e, err := emu.Open(r.path, emu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := faulty.Wrap(e, nil)
	bad, err := faulty.ParsePlan(strings.NewReader(fmt.Sprintf("READ(10) at %d: sense 3/11/00", at+700)))
	if err != nil {
		t.Fatal(err)
	}
	w.SetInjector(bad.Injector(nil))
	if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
		t.Fatal(err)
	}
	r.put("f", data)
	want := fmt.Sprintf("%x", sha256.Sum256(data))
	if rep := r.commit(); rep.NewDataBytes != mb {
		t.Errorf("%d bytes were burned instead of the 1 MiB around the bad block", rep.NewDataBytes)
	}
	r.close()
	r.open()
	if got := fmt.Sprintf("%x", sha256.Sum256(r.get(r.dir("f")))); got != want {
		t.Error("the file cannot be read as it was written")
	}
}
