package volume_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
)

// image is a BlockReader over bytes or a file that holds a whole medium.
type image struct {
	io.ReaderAt
	size int64
}

var errBeyondMedium = errors.New("read beyond the end of the medium")

func (m image) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(p)%iso9660.BlockSize != 0 {
		return fmt.Errorf("a read of %d bytes is not one of whole blocks", len(p))
	}
	from := int64(lba) * iso9660.BlockSize
	if from+int64(len(p)) > m.size {
		return fmt.Errorf("blocks %d+%d: %w", lba, len(p)/iso9660.BlockSize, errBeyondMedium)
	}
	_, err := m.ReadAt(p, from)
	return err
}

func imageOf(b []byte) image {
	b = append(b[:len(b):len(b)], make([]byte, -len(b)&(iso9660.BlockSize-1))...)
	return image{bytes.NewReader(b), int64(len(b))}
}

func openImage(t testing.TB, path string) image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return image{f, info.Size()}
}

// stored reads an image of testdata; see make-fixtures.sh there.
func stored(t testing.TB, name string) []byte {
	t.Helper()
	return fixture.Unpack(t, filepath.Join("testdata", name+".iso.gz"))
}

func mustOpen(t testing.TB, r iso9660.BlockReader, start uint32, opt volume.Options) *volume.Volume {
	t.Helper()
	v, err := volume.Open(t.Context(), r, start, opt)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run runs a foreign tool and returns its standard output.
func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// walk collects everything that is below the root, by path.
func walk(t testing.TB, v *volume.Volume) map[string]volume.Entry {
	t.Helper()
	entries := make(map[string]volume.Entry)
	for at, err := range v.Walk(t.Context()) {
		if err != nil {
			t.Errorf("walk: %s: %v", at.Path, err)
			continue
		}
		if _, twice := entries[at.Path]; twice {
			t.Errorf("walk: %s appears twice", at.Path)
		}
		entries[at.Path] = at.Entry
	}
	return entries
}

// content reads the sections of a regular file.
func content(t testing.TB, r iso9660.BlockReader, e volume.Entry) []byte {
	t.Helper()
	var data []byte
	for _, s := range e.Sections {
		b := make([]byte, s.Blocks()*iso9660.BlockSize)
		if err := r.ReadBlocks(t.Context(), s.LBA, b); err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		data = append(data, b[:s.Size]...)
	}
	return data
}

func write(t testing.TB, path string, data []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sourceTree makes a directory with one of everything that Rock Ridge can hold.
func sourceTree(t testing.TB) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "source")
	must(t, os.Mkdir(root, 0o755))
	at := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }

	write(t, at("plain.txt"), []byte("plain\n"), 0o644)
	write(t, at("empty"), nil, 0o600)
	write(t, at("setuid"), []byte("x"), 0o755|fs.ModeSetuid)
	write(t, at("block"), bytes.Repeat([]byte("b"), iso9660.BlockSize), 0o640)
	write(t, at("block+1"), bytes.Repeat([]byte("c"), iso9660.BlockSize+1), 0o640)
	write(t, at("UPPER and lower.Mixed.Dots"), []byte("u"), 0o644)
	write(t, at("größe-日本語-🎼"), []byte("utf8"), 0o644)
	write(t, at("trailing.dot."), []byte("t"), 0o644)
	write(t, at(strings.Repeat("n", 255)), []byte("255"), 0o644)
	write(t, at(strings.Repeat("m", 200)), []byte("200"), 0o644)
	for i := range 5 {
		write(t, at(fmt.Sprintf("collides-with-its-%d-siblings.text", i)), []byte{byte(i)}, 0o644)
	}

	must(t, os.Link(at("block+1"), at("hardlink")))
	for name, target := range map[string]string{
		"link.relative": "plain.txt", "link.absolute": "/etc/passwd", "link.dots": "../.././x/./..", "link.root": "/",
		// genisoimage records longer ones wrongly or never ends; see TestLongTargets.
		"link.long": strings.Repeat("thirteen-char/", 15) + strings.Repeat("f", 25),
	} {
		must(t, os.Symlink(target, at(name)))
	}
	must(t, unix.Mkfifo(at("fifo"), 0o622))

	must(t, os.MkdirAll(at("dir", "sub"), 0o755))
	must(t, os.Mkdir(at("dir", "empty"), 0o711))
	write(t, at("dir", "sub", "file"), []byte("deeper"), 0o444)
	must(t, os.Chmod(at("dir"), 0o2775))

	deep := root
	for i := range 14 {
		deep = filepath.Join(deep, fmt.Sprintf("level%02d", i+1))
		must(t, os.Mkdir(deep, 0o755))
		write(t, filepath.Join(deep, "leaf"), fmt.Appendf(nil, "leaf %d", i+1), 0o644)
	}

	must(t, os.Mkdir(at("many"), 0o755))
	for i := range 300 {
		write(t, at("many", fmt.Sprintf("file-number-%04d-of-three-hundred", i)), fmt.Appendf(nil, "%d", i), 0o644)
	}

	if os.Geteuid() == 0 {
		must(t, unix.Mknod(at("null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		must(t, unix.Mknod(at("sda1"), unix.S_IFBLK|0o660, int(unix.Mkdev(8, 1))))
		must(t, os.Chown(at("plain.txt"), 1234, 70000))
	}

	// Directories last: what is made in them changes their times.
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		when = when.Add(time.Hour)
		times := []unix.Timespec{unix.NsecToTimespec(when.Add(time.Minute).UnixNano()), unix.NsecToTimespec(when.UnixNano())}
		return unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW)
	}))
	return root
}

// sourceFile is what lstat says of a file, in the terms of an Entry.
func sourceFile(t testing.TB, path string) volume.Entry {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Lstat(path, &st))
	e := volume.Entry{
		Mode: st.Mode, Nlink: uint32(st.Nlink), UID: st.Uid, GID: st.Gid,
		Mtime: time.Unix(st.Mtim.Unix()).UTC(), Size: st.Size,
	}
	if e.IsDevice() {
		e.RdevMajor, e.RdevMinor = unix.Major(st.Rdev), unix.Minor(st.Rdev)
	}
	if e.IsSymlink() {
		target, err := os.Readlink(path)
		must(t, err)
		e.Target = target
	}
	return e
}
