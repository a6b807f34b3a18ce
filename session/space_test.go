package session

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/prepare"
	"burnfs/mmc/recorder"
	"burnfs/session/history"
	"burnfs/session/tree"
)

var (
	spaceSeed = flag.Uint64("space.seed", 1, "seed of the patterns that fill discs")
	spaceAll  = flag.Bool("space.all", false, "fill every medium with every pattern")
)

// smallDisc is a disc that is soon full.
type smallDisc struct {
	name   string
	media  emu.Media // none for an image file
	blocks int64
	mode   recorder.Mode
	xa     bool
	format string // of package prepare
	audio  bool
	begun  func(t *testing.T, src, iso string) *exec.Cmd // writes the first session
	reason string
}

var smallDiscs = []smallDisc{
	{name: "cd-r", media: emu.CDR, blocks: 36_000, reason: "gaps of 11400 and 6900 blocks, tracks of 300 at least"},
	{name: "cd-r at once", media: emu.CDR, blocks: 36_000, mode: recorder.ModeSAO, reason: "sessions of a length that is told before"},
	{name: "cd-r xa", media: emu.CDR, blocks: 36_000, xa: true, reason: "sectors of mode 2"},
	{name: "cd-r of one session", media: emu.CDR, blocks: 14_000, reason: "no room for the gap"},
	{name: "cd extra", media: emu.CDR, blocks: 40_000, audio: true, reason: "the first gap has passed"},
	{name: "cd-rw", media: emu.CDRW, blocks: 36_000, reason: "as cd-r"},
	{name: "dvd-r", media: emu.DVDR, blocks: 120_000, reason: "border-outs of 49152 and 9216 blocks"},
	{name: "dvd-rw", media: emu.DVDRW, blocks: 120_000, reason: "as dvd-r"},
	{name: "dvd-rw-overwrite", media: emu.DVDRWOverwrite, blocks: 9216, reason: "restricted overwrite"},
	{name: "dvd-rw growing", media: growing, blocks: 9216, reason: "shows nothing behind what was written"},
	{name: "dvd+r", media: emu.DVDPlusR, blocks: 16_384, reason: "write units of 16 blocks"},
	{name: "dvd+r-dl", media: emu.DVDPlusRDL, blocks: 16_384, reason: "as dvd+r"},
	{name: "dvd+rw", media: emu.DVDPlusRW, blocks: 9216, reason: "aligned writes"},
	{name: "dvd-ram", media: emu.DVDRAM, blocks: 9216, reason: "sessions at multiples of 32 blocks"},
	{name: "bd-r", media: emu.BDR, blocks: 16_384, reason: "write units of 32 blocks"},
	{name: "bd-r small-spare", media: emu.BDR, blocks: 24_576, format: "small-spare", reason: "a spare area is no space"},
	{name: "bd-r large-spare", media: emu.BDR, blocks: 24_576, format: "large-spare", reason: "as the small one"},
	{name: "bd-re", media: emu.BDRE, blocks: 9216, reason: "sessions at multiples of 32 blocks"},
	{name: "bd-re large-spare", media: emu.BDRE, blocks: 9216, format: "large-spare", reason: "a spare area is no space"},
	{name: "image", blocks: 9216, reason: "a file that grows"},
	{name: "image by xorriso", blocks: 9216, reason: "a first session of others at block 0", begun: func(_ *testing.T, src, iso string) *exec.Cmd {
		return exec.Command("xorriso", "-xattr", "on", "-outdev", "stdio:"+iso, "-map", src, "/", "-commit")
	}},
	{name: "image by genisoimage", blocks: 9216, reason: "without Rock Ridge, so that all records grow", begun: func(_ *testing.T, src, iso string) *exec.Cmd {
		return exec.Command("genisoimage", "-quiet", "-J", "-o", iso, src)
	}},
}

// filler makes one change; tree.ErrFull says that the disc takes no more of them.
type filler struct {
	name   string
	reason string
	// before burns a session that the changes build upon.
	before func(f *filling)
	step   func(f *filling) error
}

// filling is a disc while it is being filled.
type filling struct {
	*rig
	tr  *tree.Tree
	rng *rand.Rand
	n   int // steps so far
	at  *tree.Node
	sub *tree.Node
	off int64

	data  int64 // bytes of data in files
	files int
}

func (f *filling) create(dir *tree.Node, name string, mode uint32, target string) (*tree.Node, error) {
	n, err := f.tr.Create(f.ctx, dir, name, tree.New{Mode: mode | 0o755, Target: target})
	if err == nil {
		f.files++
	}
	return n, err
}

// write demands that what is available shrinks by what was written at least.
func (f *filling) write(n *tree.Node, size int, off int64) error {
	before := f.tr.Available()
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + f.n)
	}
	if _, err := f.tr.WriteAt(f.ctx, n, p, off, false); err != nil {
		return err
	}
	if off == 0 || off%blockSize == 0 {
		if after := f.tr.Available(); after > max(before-int64(size), 0) && f.off == off {
			f.Fatalf("%d bytes are available after %d were written, and %d were before", after, size, before)
		}
	}
	f.data += int64(size)
	return nil
}

// long is a name of so many bytes that is not used yet.
func (f *filling) long(n int) string {
	s := fmt.Sprintf("%d-", f.n)
	return s + strings.Repeat("n", n-len(s))
}

var fillers = []filler{
	{name: "one big file", reason: "what df shows can be written as one file", step: func(f *filling) error {
		if f.at == nil {
			var err error
			if f.at, err = f.create(f.tr.Root(), "filled", unix.S_IFREG, ""); err != nil {
				return err
			}
		}
		// To the last byte: ever smaller.
		for size := 1 << 17; size >= 1; size /= 2 {
			err := f.write(f.at, size, f.off)
			if err == nil {
				f.off += int64(size)
				return nil
			}
			if !errors.Is(err, tree.ErrFull) || size == 1 {
				return err
			}
		}
		return nil
	}},
	{name: "files of one byte", reason: "a block of data for each", step: func(f *filling) error {
		n, err := f.create(f.tr.Root(), fmt.Sprintf("%d", f.n), unix.S_IFREG, "")
		if err != nil {
			return err
		}
		return f.write(n, 1, 0)
	}},
	{name: "long names", reason: "nothing but directories, and continuation areas", step: func(f *filling) error {
		_, err := f.create(f.tr.Root(), f.long(255), unix.S_IFREG, "")
		return err
	}},
	{name: "directories", reason: "blocks that are nearly empty", step: func(f *filling) (err error) {
		if f.sub, err = f.create(f.tr.Root(), fmt.Sprintf("%d", f.n), unix.S_IFDIR, ""); err != nil {
			return err
		}
		_, err = f.create(f.sub, f.long(60+f.rng.IntN(190)), unix.S_IFREG, "")
		return err
	}},
	{name: "deep directories", reason: "those below the eighth level are relocated", step: func(f *filling) (err error) {
		if f.n%30 == 0 {
			f.sub = f.tr.Root()
		}
		f.sub, err = f.create(f.sub, f.long(1+f.rng.IntN(250)+4), unix.S_IFDIR, "")
		return err
	}},
	{name: "hard links", reason: "attributes are recorded with each name", step: func(f *filling) (err error) {
		if f.n%50 == 0 {
			if f.at, err = f.create(f.tr.Root(), f.long(100), unix.S_IFREG, ""); err != nil {
				return err
			}
			return f.tr.SetXattr(f.ctx, f.at, "user.x", make([]byte, f.rng.IntN(3000)), 0)
		}
		return f.tr.Link(f.ctx, f.at, f.tr.Root(), f.long(5+f.rng.IntN(250)))
	}},
	{name: "long symlinks", reason: "targets of many components take twice their length", step: func(f *filling) error {
		target := strings.Repeat("../a/", 1+f.rng.IntN(800))
		if f.n%2 == 0 {
			target = strings.Repeat("t", 1+f.rng.IntN(4000))
		}
		_, err := f.create(f.tr.Root(), f.long(5+f.rng.IntN(250)), unix.S_IFLNK, target)
		return err
	}},
	{name: "attributes", reason: "areas of a bit more than half a block fill one each", step: func(f *filling) error {
		n, err := f.create(f.tr.Root(), fmt.Sprintf("%d", f.n), unix.S_IFREG, "")
		if err != nil {
			return err
		}
		size := 1040
		if f.rng.IntN(4) == 0 {
			size = f.rng.IntN(40_000)
		}
		return f.tr.SetXattr(f.ctx, n, "user.x", make([]byte, size), 0)
	}},
	{name: "one name into each directory", reason: "each directory of the base may grow by a block of either tree", before: func(f *filling) {
		for i := range 150 {
			d, err := f.create(f.tr.Root(), fmt.Sprintf("old%d", i), unix.S_IFDIR, "")
			if err != nil {
				f.Fatal(err)
			}
			for j := range 12 { // nearly a block
				if _, err := f.create(d, fmt.Sprintf("%d", j), unix.S_IFREG, ""); err != nil {
					f.Fatal(err)
				}
			}
		}
	}, step: func(f *filling) error {
		d, err := f.tr.Lookup(f.ctx, f.tr.Root(), fmt.Sprintf("old%d", f.n%150))
		if err != nil {
			return err
		}
		_, err = f.create(d, fmt.Sprintf("n%d", f.n/150), unix.S_IFREG, "")
		return err
	}},
	{name: "attributes of old files", reason: "records of the base grow where they are", before: func(f *filling) {
		for i := range 40 {
			d, err := f.create(f.tr.Root(), fmt.Sprintf("old%d", i), unix.S_IFDIR, "")
			if err != nil {
				f.Fatal(err)
			}
			for j := range 5 {
				n, err := f.create(d, fmt.Sprintf("%d", j), unix.S_IFREG, "")
				if err != nil {
					f.Fatal(err)
				}
				if err := f.tr.Link(f.ctx, n, d, fmt.Sprintf("link%d", j)); err != nil {
					f.Fatal(err)
				}
			}
		}
	}, step: func(f *filling) error {
		d, err := f.tr.Lookup(f.ctx, f.tr.Root(), fmt.Sprintf("old%d", f.n%40))
		if err != nil {
			return err
		}
		n, err := f.tr.Lookup(f.ctx, d, fmt.Sprintf("%d", f.n/40%5))
		if err != nil {
			return err
		}
		return f.tr.SetXattr(f.ctx, n, fmt.Sprintf("user.%d", f.n/200), make([]byte, 1040), 0)
	}},
	{name: "changes within a file", reason: "a file of many sections has as many records", before: func(f *filling) {
		n, err := f.create(f.tr.Root(), "base", unix.S_IFREG, "")
		if err != nil {
			f.Fatal(err)
		}
		size := int64(6 << 20)
		for off := int64(0); off < size; off += 1 << 20 {
			if err := f.write(n, 1<<20, off); err != nil {
				f.Fatal(err)
			}
		}
		for i := range 1 {
			if err := f.tr.Link(f.ctx, n, f.tr.Root(), fmt.Sprintf("link%d", i)); err != nil {
				f.Fatal(err)
			}
		}
	}, step: func(f *filling) error {
		n := f.dir("base")
		a, err := f.tr.Attr(f.ctx, n)
		if err != nil {
			return err
		}
		if f.n%3 == 0 {
			n, err = f.create(f.tr.Root(), fmt.Sprintf("%d", f.n), unix.S_IFREG, "")
			if err != nil {
				return err
			}
			return f.write(n, 50_000, 0)
		}
		_, err = f.tr.WriteAt(f.ctx, n, []byte("changed"), f.rng.Int64N(a.Size-7), false)
		return err
	}},
	{name: "all mixed", reason: "writes, rewrites, renames and removals of everything", step: func(f *filling) error {
		pick := func() (string, *tree.Node) {
			list, err := f.tr.ReadDir(f.ctx, f.tr.Root())
			if err != nil || len(list) == 0 {
				return "", nil
			}
			name := list[f.rng.IntN(len(list))].Name
			n, _ := f.tr.Lookup(f.ctx, f.tr.Root(), name)
			return name, n
		}
		name, n := pick()
		switch k := f.rng.IntN(12); {
		case n == nil || k < 5:
			n, err := f.create(f.tr.Root(), f.long(5+f.rng.IntN(250)), unix.S_IFREG, "")
			if err != nil {
				return err
			}
			return f.write(n, f.rng.IntN(40_000), 0)
		case k < 6:
			return f.tr.Rename(f.ctx, f.tr.Root(), name, f.tr.Root(), f.long(5+f.rng.IntN(250)))
		case k < 7:
			if err := f.tr.Remove(f.ctx, f.tr.Root(), name, n.IsDir()); err != nil && !errors.Is(err, tree.ErrNotEmpty) {
				return err
			}
			return nil
		case n.IsDir():
			_, err := f.create(n, f.long(10), unix.S_IFREG, "")
			return err
		case k < 9:
			_, err := f.tr.WriteAt(f.ctx, n, make([]byte, f.rng.IntN(9000)), f.rng.Int64N(50_000), false)
			return err
		case k < 10:
			size := f.rng.Int64N(60_000)
			_, err := f.tr.SetAttr(f.ctx, n, tree.SetAttr{Size: &size})
			return err
		case k < 11:
			return f.tr.SetXattr(f.ctx, n, "user.x", make([]byte, f.rng.IntN(3000)), 0)
		}
		_, err := f.create(f.tr.Root(), f.long(5+f.rng.IntN(250)), unix.S_IFDIR, "")
		return err
	}},
}

// make makes the disc.
func (c *smallDisc) make(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, "")
	r.opt.Mode, r.opt.XA = c.mode, c.xa
	opt := emu.CreateOptions{Blocks: c.blocks, AudioFirstSession: c.audio}
	media := c.media
	switch media {
	case "":
		r.max = uint32(c.blocks)
	case growing:
		media, opt.Unformatted = emu.DVDRWOverwrite, true
		fallthrough
	default:
		if err := emu.Create(r.path, media, opt); err != nil {
			t.Fatal(err)
		}
	}
	if c.format != "" {
		r.look(func(d *mmc.Drive, info *medium.Info, _ []history.Session) {
			all, err := prepare.Formats(r.ctx, d, info)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range all {
				if f.Name == c.format {
					if err := prepare.FormatMedium(r.ctx, d, info, f, prepare.FormatOptions{}); err != nil {
						t.Fatal(err)
					}
					return
				}
			}
			t.Fatalf("no format %s among %v", c.format, all)
		})
	}
	if c.begun != nil {
		src := t.TempDir()
		sh(t, src, `for i in $(seq 40); do mkdir d$i; : >d$i/A; : >d$i/B; ln -s $(printf "%0200d" $i) d$i/s; done; head -c 100000 /dev/urandom >big`)
		if out, err := c.begun(t, src, r.path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	r.open()
	return r
}

// TestSpaceIsHonest fills discs until the tree says that they are full. The
// commit succeeds, and so do sessions of directories alone after it, until the
// tree says that there can be none.
func TestSpaceIsHonest(t *testing.T) {
	for i, c := range smallDiscs {
		for j, fill := range fillers {
			// Each medium meets some of the patterns, and each pattern some of the media.
			if !*spaceAll && (i+j)%7 != 0 {
				continue
			}
			t.Run(c.name+"/"+fill.name, func(t *testing.T) {
				t.Parallel()
				fillDisc(t, &c, &fill, *spaceSeed+uint64(100*i+j))
			})
		}
	}
}

func fillDisc(t *testing.T, c *smallDisc, fill *filler, seed uint64) {
	t.Logf("seed %d; %s; %s", seed, c.reason, fill.reason)
	r := c.make(t)
	f := &filling{rig: r, tr: r.disc.Tree(), rng: rand.New(rand.NewPCG(seed, 0))}
	empty := f.tr.Available()
	if fill.before != nil && empty > 0 {
		fill.before(f)
		r.commit()
	}
	if fill.name != "one big file" {
		f.ballast(1500)
	}
	promised := f.tr.Available()
	before := r.disc.freeBlocks()
	f.data, f.files = 0, 0
	var err error
	for ; err == nil; f.n++ {
		err = fill.step(f)
	}
	if !errors.Is(err, tree.ErrFull) {
		t.Fatalf("step %d: %v", f.n, err)
	}
	if promised == 0 && f.tr.Pending().Empty() {
		t.Logf("ROW|%s|%s|%d|0|%d|nothing fits", c.name, fill.name, promised/blockSize, before)
		return
	}
	left := f.tr.Available()
	if fill.name == "one big file" && (f.data < promised-2*blockSize || left >= blockSize) {
		t.Errorf("%d bytes were promised, %d could be written, and %d are said to be left", promised, f.data, left)
	}
	r.commit() // must succeed
	r.close()
	r.open()
	f.tr = r.disc.Tree()
	afterFill := r.disc.freeBlocks()
	if r.disc.Status().ReadOnly {
		t.Fatalf("no session fits behind the one that filled the disc: %s", r.disc.Status().ReadOnlyReason)
	}
	f.deleteOne()
	r.commit()
	after := r.disc.freeBlocks()
	more := 0
	for ; more < 20 && (more < 2 || *spaceAll); more++ {
		mode := uint32(0o700 + more)
		if _, err := f.tr.SetAttr(r.ctx, f.tr.Root(), tree.SetAttr{Mode: &mode}); err != nil {
			if !errors.Is(err, tree.ErrFull) && !errors.Is(err, tree.ErrReadOnly) {
				t.Fatal(err)
			}
			break
		}
		r.commit()
	}
	want := r.manifest()
	r.close()
	r.open()
	r.same("in the end", want)
	t.Logf("ROW|%s|%s|%d|%d|%d|%d|%d", c.name, fill.name, promised/blockSize, before-afterFill, afterFill, after, more)
}

// deleteOne is the change that the reserve is for.
func (f *filling) deleteOne() {
	f.Helper()
	list, err := f.tr.ReadDir(f.ctx, f.tr.Root())
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range list {
		if e.Type != unix.S_IFDIR {
			if err := f.tr.Remove(f.ctx, f.tr.Root(), e.Name, false); err != nil {
				f.Fatalf("deleting on a full disc: %v", err)
			}
			return
		}
	}
	mode := uint32(0o701)
	if _, err := f.tr.SetAttr(f.ctx, f.tr.Root(), tree.SetAttr{Mode: &mode}); err != nil {
		f.Fatalf("chmod on a full disc: %v", err)
	}
}

// ballast leaves room for so many blocks only, so that discs with large gaps are
// full as soon as others.
func (f *filling) ballast(room int64) {
	f.Helper()
	size := f.tr.Available() - room*blockSize
	if size <= 0 {
		return
	}
	n, err := f.create(f.tr.Root(), "ballast", unix.S_IFREG, "")
	if err == nil {
		_, err = f.tr.SetAttr(f.ctx, n, tree.SetAttr{Size: &size})
	}
	if err != nil {
		f.Fatal(err)
	}
}
