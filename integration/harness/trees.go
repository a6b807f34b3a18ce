package harness

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// GoSource copies a part of the Go toolchain's source to dir with cp -a, as
// trees that people really have: "." is all of it, some ten thousand files.
func GoSource(t testing.TB, part, dir string) {
	t.Helper()
	root := strings.TrimSpace(Run(t, "go", "env", "GOROOT"))
	Run(t, "cp", "-a", filepath.Join(root, "src", part), dir)
}

// Zoo makes one specimen of everything that a tree can hold and that all the
// foreign tools can read back: each type of file, names and targets that are hard
// to record, sizes around the block size, hard links, odd modes, owners and
// times. [Crowded] and [Rarities] have the rest.
func Zoo(t testing.TB, rng *rand.Rand, root string) {
	t.Helper()
	z := zoo{t: t, rng: rng, root: root}
	z.mkdir(".")
	z.sizes()
	z.names()
	z.depth()
	z.links()
	z.specials()
	z.metadata()
}

// Crowded makes files whose Rock Ridge entries do not fit into their directory
// records and go on in a continuation area (SUSP 5.1): long names and targets,
// attributes, access control lists. Such a file's data lies before that area as soon as
// another session takes it over, and libarchive refuses to read such a disc, also
// when xorriso or genisoimage made it: see [burnfs/integration/judge].
func Crowded(t testing.TB, rng *rand.Rand, root string) {
	t.Helper()
	z := zoo{t: t, rng: rng, root: root}
	z.mkdir(".")
	for i, name := range []string{
		strings.Repeat("x", 255), strings.Repeat("n", 250) + ".text", "é" + strings.Repeat("y", 253),
		"same-first-103-characters-" + strings.Repeat("z", 100) + "-1", "same-first-103-characters-" + strings.Repeat("z", 100) + "-2",
	} {
		z.file(name, 10+i)
	}
	z.file("attributes", 60)
	for name, value := range map[string][]byte{
		"user.short": []byte("x"), "user.empty": {}, "user.binary": {0, 1, 2, 255, 0}, "user.long": bytes.Repeat([]byte("0123456789"), 70),
	} {
		z.must(unix.Setxattr(z.path("attributes"), name, value, 0))
	}
	z.must(unix.Setxattr(z.path("."), "user.of.a.directory", []byte("too"), 0))
	z.must(os.Symlink(strings.Repeat("t", 255), z.path("component-of-255")))
	z.must(os.Symlink(strings.Repeat("directory-name/", 66)+"end-of-it!", z.path("of-1000-bytes")))
	// libisofs rejects lists whose last value is empty.
	z.file("attribute without a value", 61)
	z.mkdir("directory with such an attribute")
	for _, name := range []string{"attribute without a value", "directory with such an attribute"} {
		z.must(unix.Setxattr(z.path(name), "user.empty", nil, 0))
	}
	z.file("acl", 70)
	Run(z.t, "setfacl", "-m", "u:1000:rwx,g:2000:r", z.path("acl"))
	z.mkdir("acl-default")
	Run(z.t, "setfacl", "-d", "-m", "u:1000:rwx", z.path("acl-default"))
}

// Rarities makes what only Linux and burnfs itself read back: xorriso gives up on
// a whole tree with a target of more than about 1000 bytes, it and bsdtar misread
// device numbers beyond 8 bits, and 24 levels of directories are recorded by
// relocation, where bsdtar loses its way.
func Rarities(t testing.TB, rng *rand.Rand, root string) {
	t.Helper()
	z := zoo{t: t, rng: rng, root: root}
	z.mkdir(".")
	z.must(os.Symlink(strings.Repeat("directory-name/", 272)+"end-of-it-all!!", z.path("target-of-4095-bytes")))
	z.must(unix.Mknod(z.path("device-with-large-numbers"), unix.S_IFCHR|0o600, int(unix.Mkdev(259, 70000))))
	dir := "deep"
	z.mkdir(dir)
	for i := range 200 {
		z.file(fmt.Sprintf("%s/at-level-%02d", dir, i), 30+i)
		dir += fmt.Sprintf("/l%02d", i)
		z.mkdir(dir)
	}
}

type zoo struct {
	t    testing.TB
	rng  *rand.Rand
	root string
}

func (z *zoo) path(name string) string { return z.root + "/" + name }

func (z *zoo) must(err error) {
	z.t.Helper()
	if err != nil {
		z.t.Fatal(err)
	}
}

func (z *zoo) mkdir(name string) { z.t.Helper(); z.must(os.MkdirAll(z.path(name), 0o755)) }

func (z *zoo) file(name string, size int) {
	z.t.Helper()
	z.must(os.WriteFile(z.path(name), Noise(z.rng, size), 0o644))
}

// Noise returns bytes that do not compress and differ from file to file.
func Noise(rng *rand.Rand, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

// sizes around the block of 2048 bytes and the chunks of 64 and 128 KiB.
func (z *zoo) sizes() {
	z.mkdir("sizes")
	for _, n := range []int{0, 1, 2047, 2048, 2049, 4096, 65535, 65536, 131072, 131073, 1<<20 + 7} {
		z.file(fmt.Sprintf("sizes/%07d", n), n)
	}
	f, err := os.Create(z.path("sizes/hole"))
	z.must(err)
	_, err = f.WriteAt([]byte("behind a hole"), 300<<10)
	z.must(err)
	z.must(f.Close())
}

func (z *zoo) names() {
	z.mkdir("names")
	for i, name := range []string{
		"UPPER", "upper", "Upper.Txt", "no-extension", "two.dots.here", ".hidden", "..rest", "trailing.", "trailing..",
		"with space", " leading", "trailing ", "semi;colon;1", "question?star*", "a:b", `back\slash`, `"quoted"`, "<angle>|pipe",
		"grün-ÄÖÜ-ß", "日本語のファイル名", "emoji 🔥", "combining e\u0301", "tab\there", "0123456789012345678901234567890123456789",
		"same-first-sixty-four-characters-of-a-name-that-is-much-too-long-for-joliet-1",
		"same-first-sixty-four-characters-of-a-name-that-is-much-too-long-for-joliet-2",
		"LONGNAME.TXT", "LONGNAME1.TXT", "longname.text", "-dash", "#hash", "percent%41", "tilde~1",
	} {
		z.file("names/"+name, 10+i)
	}
	// Bytes that no character set explains, and the one that ends lines.
	z.mkdir("bytes")
	z.file("bytes/latin1-\xe9\xff", 20)
	z.file("bytes/control-\x01\x1b\x7f", 21)
	z.file("bytes/new\nline", 22)
	z.file("bytes/\xff", 23)
}

// depth uses the eight levels of ISO 9660 and a directory of several blocks.
func (z *zoo) depth() {
	dir := "deep"
	z.mkdir(dir)
	for i := range 5 {
		z.file(fmt.Sprintf("%s/at-level-%02d", dir, i), 30+i)
		dir += fmt.Sprintf("/level%02d", i)
		z.mkdir(dir)
	}
	z.mkdir("empty directory")
	z.mkdir("many")
	for i := range 120 {
		z.file(fmt.Sprintf("many/entry-with-a-rather-long-name-%04d.data", i), i)
	}
}

func (z *zoo) links() {
	z.mkdir("links/other")
	z.file("links/a", 5000)
	z.must(os.Link(z.path("links/a"), z.path("links/b")))
	z.must(os.Link(z.path("links/a"), z.path("links/other/c")))
	z.file("links/empty", 0)
	z.must(os.Link(z.path("links/empty"), z.path("links/empty-too")))
	for name, target := range map[string]string{
		"relative": "a", "up": "../sizes/0002048", "absolute": "/etc/hostname", "dangling": "nowhere/at/all",
		"slashes": "other//c", "dots": "./../././links/./a", "root": "/", "dot": ".", "dotdot": "..",
		"component-of-30": strings.Repeat("t", 30), "trailing-slash": "other/", "bytes": "latin1-\xe9/\xff",
	} {
		z.must(os.Symlink(target, z.path("links/"+name)))
	}
}

func (z *zoo) specials() {
	z.mkdir("special")
	z.must(unix.Mkfifo(z.path("special/fifo"), 0o640))
	z.must(unix.Mknod(z.path("special/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	z.must(unix.Mknod(z.path("special/disk"), unix.S_IFBLK|0o660, int(unix.Mkdev(8, 17))))
	z.must(unix.Mknod(z.path("special/socket"), unix.S_IFSOCK|0o755, 0))
}

func (z *zoo) metadata() {
	z.mkdir("metadata")
	for _, mode := range []uint32{0o000, 0o400, 0o755, 0o4755, 0o2711, 0o1777, 0o7777} {
		name := fmt.Sprintf("metadata/mode-%04o", mode)
		z.file(name, int(mode))
		z.must(unix.Chmod(z.path(name), mode))
	}
	z.mkdir("metadata/sticky")
	z.must(unix.Chmod(z.path("metadata/sticky"), 0o3770))
	for _, id := range []int{1, 1000, 65534, 100000, 1<<31 + 5} {
		name := fmt.Sprintf("metadata/owner-%d", id)
		z.file(name, 100)
		z.must(os.Chown(z.path(name), id, id+1))
	}
	z.must(os.Lchown(z.path("links/relative"), 1000, 100))
	for i, when := range []time.Time{
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2024, 2, 29, 12, 0, 0, 1, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 123456789, time.UTC),
		time.Date(2099, 6, 15, 6, 30, 0, 500000000, time.UTC),
	} {
		name := fmt.Sprintf("metadata/time-%d", i)
		z.file(name, 50)
		z.must(os.Chtimes(z.path(name), when, when))
	}
	when := time.Date(2001, 2, 3, 4, 5, 6, 789, time.UTC)
	z.must(os.Chtimes(z.path("metadata/sticky"), when, when))
}
