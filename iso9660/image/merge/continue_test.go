package merge_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/integration/shelf"
	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
	"burnfs/iso9660/image/internal/judge"
	"burnfs/iso9660/image/merge"
	"burnfs/iso9660/volume"
)

var now = time.Date(2024, time.February, 29, 12, 34, 56, 0, time.UTC)

// A disc is a file that plays a medium.
type disc struct {
	path  string
	start uint32 // of the newest session
	deep  bool   // without relocation
}

type medium struct{ *os.File }

func (m medium) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	_, err := m.ReadAt(p, int64(lba)*iso9660.BlockSize)
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// session1 and session2 are what goes to the disc in the first and in the second
// session. The second replaces a file, adds to a directory, puts a file in place
// of a directory and a directory in place of a file.
func session1(t testing.TB) string {
	root := t.TempDir()
	write(t, root, "kept.txt", "kept as it was")
	write(t, root, "replaced.txt", "old content")
	write(t, root, "directory/old", strings.Repeat("old and long enough for several blocks ", 200))
	write(t, root, "directory/"+strings.Repeat("long name ", 20), "x")
	write(t, root, "becomes a file/inner", "gone")
	write(t, root, "becomes a directory", "gone")
	write(t, root, "empty", "")
	deep := "deep"
	for i := range 12 {
		deep += fmt.Sprintf("/%d", i)
	}
	write(t, root, deep+"/bottom", "at the bottom")
	must(t, os.Symlink("kept.txt", filepath.Join(root, "symlink")))
	must(t, os.Link(filepath.Join(root, "kept.txt"), filepath.Join(root, "directory/hard link")))
	must(t, os.Chmod(filepath.Join(root, "kept.txt"), 0o640))
	settle(t, root)
	return root
}

// settle gives all directories but the root one time: xorriso leaves that of an old
// directory as it is where the others take the new one.
func settle(t testing.TB, root string) {
	t.Helper()
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == root {
			return err
		}
		return os.Chtimes(path, now, now)
	}))
}

func session2(t testing.TB) string {
	root := t.TempDir()
	write(t, root, "replaced.txt", "new content, longer than before")
	write(t, root, "directory/new", "new")
	write(t, root, "becomes a file", "a file now")
	write(t, root, "becomes a directory/inner", "in a directory now")
	write(t, root, "deep/0/1/2/added", "beside old ones")
	must(t, os.Chmod(filepath.Join(root, "directory"), 0o750))
	settle(t, root)
	return root
}

// both is what the two sessions together show.
func both(t testing.TB, first, second string) string {
	root := t.TempDir()
	judge.Run(t, "cp", "-a", first+"/.", root)
	must(t, os.RemoveAll(filepath.Join(root, "becomes a file")))
	if info, err := os.Stat(filepath.Join(second, "becomes a directory")); err == nil && info.IsDir() {
		must(t, os.RemoveAll(filepath.Join(root, "becomes a directory")))
	}
	judge.Run(t, "cp", "-a", second+"/.", root)
	return root
}

func write(t testing.TB, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// scan makes a source of a directory.
func scan(t testing.TB, root string) *hosttree.Tree {
	t.Helper()
	tree, err := hosttree.Scan(t.Context(), []hosttree.Spec{{Source: root}}, hosttree.Options{Xattrs: true})
	must(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// nextStart is where a session can begin behind what the disc holds.
func (d *disc) nextStart(t testing.TB) uint32 {
	t.Helper()
	info, err := os.Stat(d.path)
	must(t, err)
	const align = 32
	blocks := (info.Size() + iso9660.BlockSize - 1) / iso9660.BlockSize
	return uint32((blocks + align - 1) / align * align)
}

// burn appends a session of ours, which continues the newest unless first.
func (d *disc) burn(t testing.TB, root string, start uint32, first bool) {
	t.Helper()
	f, err := os.OpenFile(d.path, os.O_RDWR|os.O_CREATE, 0o644)
	must(t, err)
	defer f.Close()
	tree := scan(t, root)
	var src image.Source = tree
	if !first {
		v, err := volume.Open(t.Context(), medium{f}, d.start, volume.Options{})
		must(t, err)
		s, damaged, err := merge.New(t.Context(), v, tree)
		must(t, errors.Join(damaged, err))
		src = s
	}
	l, err := image.Plan(t.Context(), src, image.Options{
		Start: start, RockRidge: true, Joliet: true, Checksums: true, SHA256: true, VolumeID: "CONTINUED", Now: now, Align: 32,
		DeepPaths: d.deep,
	})
	must(t, err)
	_, err = f.Seek(int64(start)*iso9660.BlockSize, 0)
	must(t, err)
	must(t, l.Write(t.Context(), f, tree.Open))
	for found, err := range check.Check(t.Context(), medium{f}, start, check.Options{Data: true}) {
		must(t, err)
		t.Errorf("check: %v", found)
	}
	if start != 0 {
		head := make([]byte, image.SuperblockBlocks*iso9660.BlockSize)
		_, err = f.ReadAt(head, int64(start)*iso9660.BlockSize)
		must(t, err)
		moved, err := image.RelocatedSuperblock(head, l.Start()+l.Blocks())
		must(t, err)
		_, err = f.WriteAt(moved, 0)
		must(t, err)
	}
	d.start = start
	shelf.PutCopy(t, d.path)
}

// genisoimage appends a session as mkisofs -C -M and dd do.
func (d *disc) genisoimage(t testing.TB, root string) {
	t.Helper()
	start := d.nextStart(t)
	part := filepath.Join(t.TempDir(), "part")
	judge.Run(t, "genisoimage", "-quiet", "-R", "-J", "-joliet-long",
		"-C", fmt.Sprintf("%d,%d", d.start, start), "-M", d.path, "-o", part, root)
	judge.Run(t, "dd", "if="+part, "of="+d.path, "bs=2048", fmt.Sprintf("seek=%d", start), "conv=notrunc", "status=none")
	d.start = start
}

// check compares the newest session with what it must show, as xorriso and as
// package volume see it.
func (d *disc) check(t *testing.T, want, producer string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"-abort_on", "FAILURE", "-return_with", "SORRY", "32", "-osirrox", "on", "-indev", "stdio:" + d.path, "-extract", "/", out}
	if d.start != 0 {
		args = append([]string{"-load", "sbsector", fmt.Sprint(d.start)}, args...)
	}
	judge.Run(t, "xorriso", args...)
	// libisofs restores no times of symbolic links and makes no hard links
	// unless asked.
	lax := judge.Lax{LinkTimes: true, HardLinks: true}
	switch producer {
	case "genisoimage":
		must(t, os.RemoveAll(filepath.Join(out, "rr_moved"))) // it does not hide it
	case "xorriso":
		lax.Modes = true // it leaves those of directories as they are
	}
	judge.SameTrees(t, want, out, lax)
	d.checkVolume(t, want)
}

// checkVolume compares names and contents as package volume sees them.
func (d *disc) checkVolume(t *testing.T, want string) {
	t.Helper()
	f, err := os.Open(d.path)
	must(t, err)
	defer f.Close()
	v, err := volume.Open(t.Context(), medium{f}, d.start, volume.Options{})
	must(t, err)
	seen := map[string]bool{}
	for visit, err := range v.Walk(t.Context()) {
		must(t, err)
		seen[visit.Path] = true
		e := visit.Entry
		if !e.IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(want, visit.Path))
		if err != nil {
			t.Errorf("%q should not be there", visit.Path)
			continue
		}
		var got []byte
		for _, s := range e.Sections {
			p := make([]byte, s.Blocks()*iso9660.BlockSize)
			must(t, medium{f}.ReadBlocks(t.Context(), s.LBA, p))
			got = append(got, p[:s.Size]...)
		}
		if string(got) != string(content) {
			t.Errorf("%q holds %q instead of %q", visit.Path, got, content)
		}
	}
	must(t, filepath.Walk(want, func(path string, _ os.FileInfo, err error) error {
		rel, _ := filepath.Rel(want, path)
		if !seen[rel] {
			t.Errorf("%q is missing", rel)
		}
		return err
	}))
}

// audit lets xorriso check every file of the newest session, old ones included.
func (d *disc) audit(t *testing.T) {
	t.Helper()
	out := judge.Run(t, "xorriso", "-abort_on", "NEVER", "-return_with", "SORRY", "32", "-md5", "on",
		"-indev", "stdio:"+d.path, "-check_md5_r", "SORRY", "/", "--")
	if !strings.Contains(out, "File contents and their MD5 checksums match.") {
		t.Errorf("xorriso cannot confirm the checksums:\n%s", out)
	}
}

// TestContinue begins a disc with one producer and continues it with another.
func TestContinue(t *testing.T) {
	type producer struct {
		name  string
		first func(*testing.T, *disc, string)
		next  func(*testing.T, *disc, string)
	}
	ours := producer{
		name:  "burnfs",
		first: func(t *testing.T, d *disc, root string) { d.burn(t, root, 32, true) },
		next:  func(t *testing.T, d *disc, root string) { d.burn(t, root, d.nextStart(t), false) },
	}
	genisoimage := producer{
		name: "genisoimage",
		first: func(t *testing.T, d *disc, root string) {
			judge.Run(t, "genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-o", d.path, root)
		},
		next: func(t *testing.T, d *disc, root string) { d.genisoimage(t, root) },
	}
	xorriso := producer{
		name: "xorriso",
		first: func(t *testing.T, d *disc, root string) {
			judge.Run(t, "xorriso", "-md5", "on", "-compliance", "new_rr", "-outdev", "stdio:"+d.path, "-padding", "0", "-map", root, "/", "-commit")
		},
		next: func(t *testing.T, d *disc, root string) {
			judge.Run(t, "xorriso", "-abort_on", "FAILURE", "-md5", "on", "-overwrite", "on", "-dev", "stdio:"+d.path, "-padding", "0", "-map", root, "/", "-commit")
			d.start = 0 // it rewrites the superblock
		},
	}
	for _, chain := range [][]producer{
		{ours, ours, ours},
		{genisoimage, ours, ours},
		{xorriso, ours, ours},
		{ours, genisoimage, ours},
		{ours, xorriso, ours},
		{genisoimage, ours, genisoimage},
	} {
		var names []string
		for _, p := range chain {
			names = append(names, p.name)
		}
		t.Run(strings.Join(names, " "), func(t *testing.T) {
			d := &disc{path: filepath.Join(t.TempDir(), "disc")}
			want := session1(t)
			chain[0].first(t, d, want)
			for i, p := range chain {
				if i > 0 {
					add := session2(t)
					if p.name == "genisoimage" && i == 1 {
						// It takes the old file for a directory and fails,
						// with discs of its own too.
						must(t, os.RemoveAll(filepath.Join(add, "becomes a directory")))
					}
					write(t, add, fmt.Sprintf("of session %d", i+1), "new")
					want = both(t, want, add)
					p.next(t, d, add)
				}
				d.check(t, want, p.name)
				if p.name == "burnfs" {
					d.audit(t)
				}
			}
		})
	}
}

// TestLibarchive lets bsdtar read a continued disc. It refuses regular files that
// lie in front of their continuation area, which files of earlier sessions with
// long names do, whoever recorded them; so there are none here.
func TestLibarchive(t *testing.T) {
	d := &disc{path: filepath.Join(t.TempDir(), "disc")}
	first, second := session1(t), session2(t)
	must(t, os.Remove(filepath.Join(first, "directory", strings.Repeat("long name ", 20))))
	d.deep = true
	d.burn(t, first, 32, true)
	d.burn(t, second, d.nextStart(t), false)
	out := t.TempDir()
	judge.Run(t, "bsdtar", "-xpf", d.path, "-C", out)
	judge.SameTrees(t, both(t, first, second), out, judge.Lax{HardLinks: true}) // it finds only those that it meets together
}

// TestOldFilesStay demands that a file that has not changed keeps its address
// and its checksum, and costs no blocks.
func TestOldFilesStay(t *testing.T) {
	d := &disc{path: filepath.Join(t.TempDir(), "disc")}
	first := session1(t)
	d.burn(t, first, 32, true)
	before := d.sections(t)
	empty := t.TempDir()
	d.burn(t, empty, d.nextStart(t), false)
	for name, s := range d.sections(t) {
		if before[name] != s {
			t.Errorf("%q has moved from %s to %s", name, before[name], s)
		}
		delete(before, name)
	}
	for name := range before {
		t.Errorf("%q is gone", name)
	}
	d.audit(t)
}

func (d *disc) sections(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(d.path)
	must(t, err)
	defer f.Close()
	v, err := volume.Open(t.Context(), medium{f}, d.start, volume.Options{})
	must(t, err)
	sections := map[string]string{}
	for visit, err := range v.Walk(t.Context()) {
		must(t, err)
		if visit.Entry.IsRegular() {
			sections[visit.Path] = fmt.Sprint(visit.Entry.Sections)
		}
	}
	return sections
}

// TestNothingNew continues a volume with no other source at all.
func TestNothingNew(t *testing.T) {
	d := &disc{path: filepath.Join(t.TempDir(), "disc")}
	first := session1(t)
	d.burn(t, first, 32, true)
	f, err := os.Open(d.path)
	must(t, err)
	defer f.Close()
	v, err := volume.Open(t.Context(), medium{f}, 32, volume.Options{})
	must(t, err)
	src, damaged, err := merge.New(t.Context(), v, nil)
	must(t, errors.Join(damaged, err))
	l, err := image.Plan(t.Context(), src, image.Options{Start: 1 << 20, RockRidge: true, Joliet: true, Checksums: true, SHA256: true, Now: now})
	must(t, err)
	if l.DataBlocks() != 0 {
		t.Errorf("%d blocks of data, and nothing is new", l.DataBlocks())
	}
	for f, err := range l.Files(t.Context()) {
		must(t, err)
		if len(f.New) > 0 || f.Size > 0 && (f.OldMD5 == nil || f.OldSHA256 == nil) {
			t.Errorf("%q: %d new sections, checksums %x, %x", f.Path, len(f.New), f.OldMD5, f.OldSHA256)
		}
	}
}

// TestDamagedChecksums: an array that is broken is not believed.
func TestDamagedChecksums(t *testing.T) {
	d := &disc{path: filepath.Join(t.TempDir(), "disc")}
	d.burn(t, session1(t), 32, true)
	f, err := os.OpenFile(d.path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	v, err := volume.Open(t.Context(), medium{f}, 32, volume.Options{})
	must(t, err)
	shas, err := v.SHA256s(t.Context())
	must(t, err)
	_, err = f.WriteAt([]byte{1, 2, 3}, int64(shas.Area().Array)*iso9660.BlockSize+40)
	must(t, err)
	src, damaged, err := merge.New(t.Context(), v, nil)
	must(t, err)
	if damaged == nil {
		t.Error("the damage to the SHA-256s is not told")
	}
	l, err := image.Plan(t.Context(), src, image.Options{Start: 1 << 20, RockRidge: true, Checksums: true, SHA256: true, Now: now})
	must(t, err)
	for f, err := range l.Files(t.Context()) {
		must(t, err)
		if f.Size > 0 && f.OldMD5 == nil || f.OldSHA256 != nil {
			t.Errorf("%q: checksums %x, %x", f.Path, f.OldMD5, f.OldSHA256)
		}
	}

	sums, err := v.Checksums(t.Context())
	must(t, err)
	_, err = f.WriteAt([]byte{1, 2, 3}, int64(sums.Area().Array)*iso9660.BlockSize+40)
	must(t, err)
	src, damaged, err = merge.New(t.Context(), v, nil)
	must(t, err)
	if damaged == nil {
		t.Error("the damage is not told")
	}
	l, err = image.Plan(t.Context(), src, image.Options{Start: 1 << 20, RockRidge: true, Checksums: true, SHA256: true, Now: now})
	must(t, err)
	if l.Header().Digests != 1 {
		t.Errorf("%d digests are carried forward, and only that of the empty file is known", l.Header().Digests)
	}
}

func TestMain(m *testing.M) {
	for _, tool := range []string{"xorriso", "genisoimage"} {
		if _, err := exec.LookPath(tool); err != nil {
			fmt.Fprintln(os.Stderr, "these tests need", tool)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
