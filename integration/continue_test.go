package integration

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
	"burnfs/integration/manifest"
)

// TestImageEqualsGenisoimages makes the image of a second session with the same
// arguments by burnfs and by genisoimage. At its place behind the first session,
// each program reads the same tree from both.
func TestImageEqualsGenisoimages(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	first, second := l.Path("first"), l.Path("second")
	harness.GoSource(l, "encoding", first)
	harness.GoSource(l, "archive", second)
	// The second session replaces a file and adds to a directory of the first.
	if err := os.MkdirAll(filepath.Join(second, "json"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoding.go", "json/added"} {
		if err := os.WriteFile(filepath.Join(second, name), []byte("of the second session\n"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	base := l.Path("base.iso")
	judge.Genisoimage(l, base, first)
	next := size(t, base)/blockSize + 48
	c := fmt.Sprintf("0,%d", next)

	ours, theirs := l.Path("ours.iso"), l.Path("theirs.iso")
	l.MustBurnfs("image", "-quiet", "-R", "-J", "-C", c, "-M", base, "-o", ours, second)
	judge.Genisoimage(l, theirs, "-C", c, "-M", base, second)
	view := func(image string) judge.View {
		disc := l.Path("disc-of-" + filepath.Base(image))
		harness.Run(l, "cp", base, disc)
		appendImage(t, disc, image, next)
		return judge.Open(l, disc).Session(uint32(next))
	}
	a, b := view(ours), view(theirs)
	for _, j := range judge.All {
		if j.Name == judge.Bsdtar.Name {
			continue // see readableByBsdtar
		}
		// Genisoimage counts the links of directories in its own way.
		aspects := j.Aspects &^ manifest.Nlink
		if d := manifest.Diff(j.Read(b), j.Read(a), aspects); d != "" {
			t.Errorf("%s reads our image differently from genisoimage's:\n%s", j.Name, d)
		}
	}
}

// chain is a disc that several programs continue, and what must be on it.
type chain struct {
	*harness.Lab
	disc  *harness.Disc
	tree  string   // a local copy of all that was put onto the disc
	trees []string // the same for each session
	parts []string
	step  int
	grown bool // growisofs was here
}

func newChain(l *harness.Lab, media string) *chain {
	c := &chain{Lab: l, tree: l.Mkdir("tree", 0o755), parts: []string{"archive", "bufio", "container", "errors", "hash", "html", "image", "io"}}
	if media == harness.PlainISO {
		c.disc = l.Adopt(media, l.Path("disc.iso"))
	} else {
		c.disc = l.Disc(media)
	}
	return c
}

// next chooses what the next session adds: a directory and its name on the disc.
func (c *chain) next() (dir, name string) {
	c.Helper()
	part := c.parts[c.step]
	c.step++
	name = fmt.Sprintf("%d-%s", c.step, part)
	harness.GoSource(c, part, filepath.Join(c.tree, name))
	return filepath.Join(c.tree, name), name
}

// chainAspects are what all the programs of a chain record.
const chainAspects = manifest.Size | manifest.Content | manifest.Perm | manifest.Target | manifest.MtimeSeconds

// check reads all that was put onto the disc so far, through the mount and by the
// foreign programs, and each session with `-o session=N`.
func (c *chain) check(what string) {
	c.Helper()
	want := withoutRoot(manifest.MustRead(c, c.tree))
	c.trees = append(c.trees, c.Path("tree-"+strconv.Itoa(c.step)))
	harness.Run(c, "cp", "-al", c.tree, c.trees[len(c.trees)-1])
	compare := func(got manifest.Tree, aspects manifest.Aspect, by string) {
		c.Helper()
		if d := manifest.Diff(want, withoutRoot(got), aspects); d != "" {
			c.Errorf("step %d, %s: %s reads the disc wrongly:\n%s", c.step, what, by, d)
		}
	}
	sessions := c.disc.Sessions()
	if len(sessions) != c.step {
		c.Errorf("step %d, %s: burnfs sees %d sessions: %+v", c.step, what, len(sessions), sessions)
	}
	for i := range min(len(sessions), c.step) {
		m := c.disc.Mount("session=" + strconv.Itoa(sessions[i].Number))
		got := withoutRoot(manifest.MustRead(c, m.Point))
		m.Unmount()
		if d := manifest.Diff(withoutRoot(manifest.MustRead(c, c.trees[i])), got, chainAspects); d != "" {
			c.Errorf("step %d, %s: session %d through the mount:\n%s", c.step, what, i+1, d)
		}
	}
	m := c.disc.Mount("ro")
	compare(manifest.MustRead(c, m.Point), chainAspects, "the mount")
	m.Unmount()
	view := judge.Open(c, c.disc.Path).Session(c.disc.Last().Start)
	if harness.Overwritable(c.disc.Media) {
		view = judge.Open(c, c.disc.Path).Newest(0)
	}
	xorriso := judge.Xorriso
	if c.grown {
		xorriso = judge.XorrisoUnchecked
	}
	judges := []judge.Judge{xorriso, judge.IsoinfoRockRidge, judge.SevenZip}
	if readableByBsdtar(c.disc) {
		judges = append(judges, judge.Bsdtar)
	}
	for _, j := range judges {
		compare(j.Read(view), chainAspects&j.Aspects, j.Name)
	}
	if c.Failed() {
		c.FailNow()
	}
}

// withoutRoot leaves out what the programs of a chain have their own ideas of: the
// root, and the times of directories that they make.
func withoutRoot(t manifest.Tree) manifest.Tree {
	t = t.Select(func(name string, _ *manifest.Entry) bool { return name != "." })
	for _, e := range t {
		if e.Kind == manifest.Dir {
			e.Mtime = time.Time{}
		}
	}
	return t
}

// readableByBsdtar tells whether libarchive can read the disc's newest session. It
// takes all extents beyond the volume space size for broken, and genisoimage and
// xorriso record the size of a later session there instead of its end.
func readableByBsdtar(d *harness.Disc) bool {
	return d.Last().Burnfs || len(d.Sessions()) == 1
}

// byUs adds a session through a mount.
func (c *chain) byUs() {
	c.Helper()
	dir, name := c.next()
	m := c.disc.Mount()
	harness.Run(c, "cp", "-a", dir, m.Path(name))
	m.Burn()
	c.check("by burnfs")
}

// byImage adds a session that another program makes an image of, with the two
// numbers of msinfo, and that `burnfs burn` writes.
func (c *chain) byImage(what string, make func(t testing.TB, out string, args ...string)) {
	c.Helper()
	dir, name := c.next()
	image := c.Path("image-" + name + ".iso")
	args := []string{"-graft-points", judge.Graft(name, dir)}
	if c.step > 1 {
		args = append([]string{"-C", c.disc.MSInfo(), "-M", c.disc.Path}, args...)
	}
	make(c, image, args...)
	c.MustBurnfs("burn", c.disc.Path, image)
	c.check("by " + what)
}

// TestChainsOnWriteOnceMedia lets burnfs, genisoimage and xorriso continue each
// other's discs. All files of all sessions are read after each step.
func TestChainsOnWriteOnceMedia(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"cd-r", "dvd+r", "bd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			for _, first := range []struct {
				name string
				make func(t testing.TB, out string, args ...string)
			}{{"genisoimage", judge.Genisoimage}, {"xorriso", judge.XorrisoMkisofs}} {
				t.Run("begun by "+first.name, func(t *testing.T) {
					c := newChain(harness.New(t), media)
					c.byImage(first.name, first.make)
					c.byUs()
					c.byImage("genisoimage", judge.Genisoimage)
					c.byUs()
					c.byImage("xorriso", judge.XorrisoMkisofs)
					c.byUs()
				})
			}
			t.Run("begun by burnfs", func(t *testing.T) {
				c := newChain(harness.New(t), media)
				c.byUs()
				c.byImage("xorriso", judge.XorrisoMkisofs)
				c.byImage("genisoimage", judge.Genisoimage)
				c.byUs()
			})
		})
	}
}

// TestChainsOnPlainFiles does the same with an ISO file, to which xorriso and
// growisofs add sessions by themselves.
func TestChainsOnPlainFiles(t *testing.T) {
	t.Parallel()
	byGrowisofs := func(c *chain) {
		c.Helper()
		dir, name := c.next()
		how := "-M"
		if c.step == 1 {
			how = "-Z"
			// growisofs wants the file to be there.
			if err := os.WriteFile(c.disc.Path, nil, 0o644); err != nil {
				c.Fatal(err)
			}
		}
		c.grown = true
		judge.Growisofs(c, how, c.disc.Path, "-graft-points", judge.Graft(name, dir))
		c.check("by growisofs")
	}
	byXorriso := func(c *chain) {
		c.Helper()
		dir, name := c.next()
		judge.XorrisoGrow(c, c.disc.Path, dir, name)
		c.check("by xorriso")
	}
	byGenisoimage := func(c *chain) {
		c.Helper()
		dir, name := c.next()
		judge.Genisoimage(c, c.disc.Path, "-graft-points", judge.Graft(name, dir))
		c.check("by genisoimage")
	}
	us := (*chain).byUs
	for _, row := range []struct {
		reason string
		steps  []func(*chain)
	}{
		{"begun by genisoimage", []func(*chain){byGenisoimage, us, us, byXorriso, us}},
		{"begun by xorriso", []func(*chain){byXorriso, us, byXorriso, us, byGrowisofs}},
		{"begun by growisofs", []func(*chain){byGrowisofs, us, byGrowisofs, us, byXorriso}},
		{"begun by burnfs", []func(*chain){us, byGrowisofs, us, byXorriso, us}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			c := newChain(harness.New(t), harness.PlainISO)
			for _, step := range row.steps {
				step(c)
			}
		})
	}
}

// TestAudioFirst: a CD that begins with an audio session mounts as an empty tree,
// and its first commit makes it a CD Extra.
func TestAudioFirst(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("cd-r", "--audio-first-session")
	audio := d.Sessions()
	if len(audio) != 1 || audio[0].Content != "audio" {
		t.Fatalf("the disc does not begin with an audio session: %+v", audio)
	}
	sound, err := os.ReadFile(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	model := l.Model()
	for i, part := range []string{"encoding", "archive"} {
		m := d.Mount()
		if i == 0 {
			if names := manifest.MustRead(l, m.Point); len(names) != 1 {
				t.Errorf("the disc mounts with %v, should be empty", names.Paths())
			}
		}
		model.Both(m, func(root string) { harness.GoSource(l, part, filepath.Join(root, part)) })
		model.Compare(m)
		model.Keep()
		m.Burn()
		s := d.Last()
		if s.Number != i+2 {
			t.Fatalf("session %d follows the audio session, should be %d", s.Number, i+2)
		}
		m = d.Mount()
		model.CompareSession(m, i+1)
		m.Unmount()
		v := judge.Open(l, d.Path).Session(s.Start)
		v.Compare(model.Sessions[i], judge.All...)
		v.CheckFiles()
	}
	// The same as an image of its own: relocated addresses, nothing merged.
	extra := l.Adopt("cd-r", l.Path("extra.img"))
	l.MustBurnfs("create", "--media", "cd-r", "--audio-first-session", extra.Path)
	c := extra.MSInfo()
	l.MustBurnfs("image", "-quiet", "-R", "-J", "-C", c, "-o", l.Path("extra.iso"), model.Copies[1])
	l.MustBurnfs("burn", extra.Path, l.Path("extra.iso"))
	if _, next, _ := strings.Cut(c, ","); strconv.Itoa(int(extra.Last().Start)) != next {
		t.Errorf("msinfo said %s and the session starts at %d", c, extra.Last().Start)
	}
	judge.Open(l, extra.Path).Session(extra.Last().Start).Compare(withoutXattrs(model.Sessions[1]), judge.All...)
	now, err := os.ReadFile(d.Path)
	if err != nil || string(now[:len(sound)]) != string(sound) {
		t.Errorf("the audio session has changed: %v", err)
	}
}

// withoutXattrs is a tree as `burnfs image` records it.
func withoutXattrs(t manifest.Tree) manifest.Tree {
	for _, e := range t {
		e.Xattrs = nil
	}
	return t
}

func size(t *testing.T, name string) int64 {
	t.Helper()
	st, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// appendImage writes an image at a block of a disc file.
func appendImage(t *testing.T, disc, image string, block int64) {
	t.Helper()
	src, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(disc, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.NewOffsetWriter(dst, block*blockSize), src)
	if cerr := dst.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
}
