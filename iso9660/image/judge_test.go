package image_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/internal/judge"
	"burnfs/iso9660/volume"
)

// materialize puts what is in a directory of the tree into a directory of this
// computer, as far as a user without privileges can.
func materialize(t testing.TB, in *memNode, host string, links map[uint64]string) {
	t.Helper()
	for _, n := range in.children {
		path := filepath.Join(host, n.Name)
		switch {
		case n.IsDir():
			must(t, os.Mkdir(path, 0o700))
			materialize(t, n, path, links)
		case n.IsSymlink():
			must(t, os.Symlink(n.Target, path))
		case n.IsRegular():
			if first, ok := links[n.ID]; ok {
				must(t, os.Link(first, path))
				continue
			}
			links[n.ID] = path
			writeFile(t, path, n)
		default:
			must(t, unix.Mknod(path, n.Mode, 0))
		}
		if !n.IsSymlink() {
			must(t, unix.Chmod(path, n.Mode&0o7777))
		}
		when := unix.NsecToTimespec(n.Mtime.UnixNano())
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

func writeFile(t testing.TB, path string, n *memNode) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	_, err = io.Copy(f, io.NewSectionReader(n.content, 0, n.Size()))
	must(t, errors.Join(err, f.Close()))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// readable drops from a tree what libisofs refuses: with a target of more than
// 1024 bytes it does not load the image at all.
func readable(tree *memTree) *memTree {
	tree.root.children = slices.DeleteFunc(tree.root.children, func(n *memNode) bool {
		return len(n.Target) > 1024 || n.Name == "slashes" // which it makes single ones
	})
	return tree
}

// ordinary drops from a tree what cannot be made without privileges.
func ordinary(tree *memTree) *memTree {
	tree.root.Xattrs = nil
	var drop func(*memNode)
	drop = func(in *memNode) {
		in.children = slices.DeleteFunc(in.children, func(n *memNode) bool {
			mode := n.Mode & 0o170000
			return mode == 0o020000 || mode == 0o060000 || mode == 0o140000 || n.Mode&0o6000 != 0
		})
		for _, n := range in.children {
			n.UID, n.GID, n.Xattrs = uint32(os.Getuid()), uint32(os.Getgid()), nil
			if n.Mtime.Year() < 1970 {
				n.Mtime = epoch
			}
			drop(n)
		}
	}
	drop(tree.root)
	return tree
}

// plain is a tree with names that every tool shows as they are.
func plain() *memTree {
	t := newTree()
	hello := t.file(t.root, "hello.txt", []byte("hello, world\n"))
	t.link(t.root, "hard.txt", hello)
	t.file(t.root, "empty.txt", nil)
	t.file(t.root, "a name of sixty characters, which is within the limit of Joliet", pattern(70000))
	t.file(t.root, "Grüße, 世界.txt", []byte("x"))
	t.add(t.root, "symlink", symlink|0o777).Target = "hello.txt"
	d := t.dir(t.root, "directory")
	for i := range 100 {
		t.file(d, fmt.Sprintf("file %d.dat", i), pattern(i*41))
	}
	deep := t.root
	for i := range 15 {
		deep = t.dir(deep, fmt.Sprintf("level%d", i))
		t.file(deep, "file.txt", []byte(fmt.Sprint("at level ", i)))
	}
	return t
}

// TestExtraction lets foreign tools unpack our images and compares.
func TestExtraction(t *testing.T) {
	for _, row := range []struct {
		name    string
		reason  string
		tree    func() *memTree
		change  func(*image.Options)
		lax     judge.Lax
		command []string // IMAGE and OUT are put in
	}{
		{
			name: "bsdtar", reason: "libarchive reads Rock Ridge with all names and attributes",
			tree: zoo, change: func(*image.Options) {}, command: []string{"bsdtar", "-xpf", "IMAGE", "-C", "OUT"},
		},
		{
			name: "bsdtar Joliet", reason: "libarchive reads the Joliet tree",
			tree: plain, change: func(*image.Options) {},
			lax:     judge.Lax{Modes: true, Symlinks: true, HardLinks: true},
			command: []string{"bsdtar", "--options", "iso9660:!rockridge", "-xpf", "IMAGE", "-C", "OUT"},
		},
		{
			name: "xorriso", reason: "libisofs",
			tree: func() *memTree { return readable(zoo()) }, change: func(*image.Options) {}, lax: judge.Lax{HardLinks: true, LinkTimes: true},
			command: []string{"xorriso", "-abort_on", "WARNING", "-osirrox", "on:sort_lba_off", "-indev", "stdio:IMAGE", "-extract", "/", "OUT"},
		},
		{
			name: "bsdtar deep", reason: "directories at their real depth",
			tree: zoo, change: func(o *image.Options) { o.DeepPaths = true }, command: []string{"bsdtar", "-xpf", "IMAGE", "-C", "OUT"},
		},
		{
			name: "7z Joliet", reason: "what Windows users see",
			tree: plain, change: func(*image.Options) {}, lax: judge.Lax{Modes: true, Symlinks: true, HardLinks: true},
			command: []string{"7z", "x", "-bd", "-y", "-oOUT", "IMAGE"},
		},
		{
			name: "7z Rock Ridge", reason: "and with no Joliet tree; it does not undo relocation",
			tree: plain, change: func(o *image.Options) { o.Joliet, o.DeepPaths = false, true },
			lax:     judge.Lax{Modes: true, Symlinks: true, HardLinks: true},
			command: []string{"7z", "x", "-bd", "-y", "-oOUT", "IMAGE"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			want, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			must(t, os.Mkdir(out, 0o755))
			materialize(t, ordinary(row.tree()).root, want, map[uint64]string{})
			opt := everything()
			row.change(&opt)
			path, _ := build(t, ordinary(row.tree()), opt)
			args := slices.Clone(row.command)
			for i := range args {
				args[i] = strings.NewReplacer("IMAGE", path, "OUT", out).Replace(args[i])
			}
			judge.Run(t, args[0], args[1:]...)
			judge.SameTrees(t, want, out, row.lax)
		})
	}
}

// TestListings compares the listings of isoinfo, which reads each tree.
func TestListings(t *testing.T) {
	path, _ := build(t, plain(), everything())
	for _, row := range []struct {
		reason string
		option string
		skip   *regexp.Regexp
	}{
		{"Rock Ridge", "-R", regexp.MustCompile(`^/rr_moved|^(/level\d+){8}`)},
		{"Joliet", "-J", regexp.MustCompile(`symlink`)},
	} {
		var want, got []string
		var walk func(string, *memNode)
		walk = func(at string, n *memNode) {
			for _, c := range n.children {
				p := at + "/" + c.Name
				if !row.skip.MatchString(p) && isASCII(p) {
					want = append(want, p)
				}
				walk(p, c)
			}
		}
		walk("", plain().root)
		for line := range strings.Lines(judge.Run(t, "isoinfo", row.option, "-f", "-i", path)) {
			if line = strings.TrimSuffix(line, "\n"); !row.skip.MatchString(line) && isASCII(line) {
				got = append(got, line)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("isoinfo's listing of the %s tree is\n%s\ninstead of\n%s", row.reason, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		content := judge.Run(t, "isoinfo", row.option, "-x", "/hello.txt", "-i", path)
		if content != "hello, world\n" {
			t.Errorf("isoinfo reads %q from the %s tree", content, row.reason)
		}
	}
	// isoinfo shows owners in octal.
	long := judge.Run(t, "isoinfo", "-R", "-l", "-i", path)
	for _, line := range []string{
		`-rw-r--r--\s+2\s+1750\s+144\s+13 Feb 29 2024 .* hello.txt`,
		`lrwxrwxrwx\s+1\s+1750\s+144\s+0 Feb 29 2024 .* symlink -> hello.txt`,
		`drwxr-xr-x\s+2\s+1750\s+144\s+\d+ Feb 29 2024 .* directory`,
	} {
		if !regexp.MustCompile(line).MatchString(long) {
			t.Errorf("isoinfo -l shows no %q", line)
		}
	}
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 0x7E }) < 0 }

// TestBsdtarListing has special files and owners, which extraction lacks.
func TestBsdtarListing(t *testing.T) {
	path, _ := build(t, zoo(), everything())
	out := judge.Run(t, "bsdtar", "--numeric-owner", "-tvf", path)
	for _, line := range []string{
		`crw-rw-rw-  1 1000   100 +1,3 .* device`,
		`prw-------  1 1000   100 .* fifo`,
		`-rwsr-sr-x  1 1000   100 .* setuid`,
		`drwxrwxrwt  2 1000   100 .* directory with a long name and an.extension`,
	} {
		if !regexp.MustCompile(line).MatchString(out) {
			t.Errorf("bsdtar shows no %q", line)
		}
	}
}

// xorriso opens an image and does what args say.
func xorriso(path string, args ...string) (string, error) {
	all := []string{"-abort_on", "NEVER", "-return_with", "SORRY", "32", "-md5", "on", "-xattr", "on", "-acl", "on", "-indev", "stdio:" + path}
	return judge.Command("xorriso", append(all, args...)...)
}

// TestXorrisoAudit lets xorriso check the session and every file. Of the sessions
// that begin later it takes those at block 32, behind a relocated superblock.
func TestXorrisoAudit(t *testing.T) {
	for _, row := range optionRows {
		opt := everything()
		row.change(&opt)
		if !opt.Checksums || opt.Start != 0 && opt.Start != image.SuperblockBlocks {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			path, l := build(t, readable(zoo()), opt)
			relocateSuperblock(t, path, l)
			out, err := audit(path)
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for _, line := range []string{
				fmt.Sprintf("Found matching MD5 superblock tag: start=%d ", opt.Start), "Found matching MD5 tree tag",
				"Found matching MD5 session tag", "File contents and their MD5 checksums match.",
			} {
				if !strings.Contains(out, line) {
					t.Errorf("xorriso does not say %q:\n%s", line, out)
				}
			}
			// It adds the session's start to the volume's size, which is
			// absolute already, for the sake of Linux.
			out = strings.Replace(out, "WARNING : ISO image size", "", 1)
			if strings.Contains(out, "WARNING") || strings.Contains(out, "SORRY") {
				t.Errorf("xorriso complains:\n%s", out)
			}
		})
	}
}

func audit(path string) (string, error) {
	out, err := xorriso(path, "-check_media", "--", "-check_md5_r", "SORRY", "/", "--")
	if err == nil && strings.Contains(strings.ToLower(out), "mismatch") {
		err = errors.New("a checksum does not match")
	}
	return out, err
}

// relocateSuperblock writes what belongs at the beginning of an overwritable
// medium, unless the image is there itself.
func relocateSuperblock(t *testing.T, path string, l *image.Layout) {
	t.Helper()
	if l.Start() == 0 {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	head := make([]byte, image.SuperblockBlocks*iso9660.BlockSize)
	_, err = f.ReadAt(head, int64(l.Start())*iso9660.BlockSize)
	must(t, err)
	moved, err := image.RelocatedSuperblock(head, l.Start()+l.Blocks())
	must(t, err)
	_, err = f.WriteAt(moved, 0)
	must(t, errors.Join(err, f.Close()))
}

// TestXorrisoNotices flips one bit in each part of the image, which the audit
// has to notice.
func TestXorrisoNotices(t *testing.T) {
	path, l := build(t, plain(), everything())
	if out, err := audit(path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data := int64(l.TreeBlocks()) * iso9660.BlockSize
	for _, row := range []struct {
		reason string
		at     int64
	}{
		{"the volume descriptor's application use", 16*iso9660.BlockSize + 900},
		{"the tree", data - 3*iso9660.BlockSize + 100},
		{"the first byte of data", data},
		{"the last block of data", data + int64(l.DataBlocks()-1)*iso9660.BlockSize},
		{"the checksum array", data + int64(l.DataBlocks())*iso9660.BlockSize + 20},
	} {
		t.Run(row.reason, func(t *testing.T) {
			flip(t, path, row.at)
			defer flip(t, path, row.at)
			if out, err := audit(path); err == nil {
				t.Errorf("xorriso finds nothing:\n%s", out)
			}
		})
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	must(t, err)
	b[0] ^= 1
	_, err = f.WriteAt(b[:], at)
	must(t, errors.Join(err, f.Close()))
}

// TestXorrisoListing compares names, attributes and hard links as libisofs has
// them.
func TestXorrisoListing(t *testing.T) {
	path, _ := build(t, readable(zoo()), everything())
	out, err := xorriso(path, "-find", "/", "-exec", "lsdl")
	must(t, err)
	out = regexp.MustCompile(` +`).ReplaceAllString(out, " ")
	for _, line := range []string{
		`-rw-r--r-- 1 1000 100 13 Feb 29 2024 '/hello.txt'`,
		`drwxrwxrwt 1 1000 100 0 Feb 29 2024 '/directory with a long name and an.extension'`,
		`crw-rw-rw- 1 1000 100 1,3 Feb 29 2024 '/device'`,
		`-rwsr-sr-x 1 1000 100 0 Feb 29 2024 '/setuid'`,
		`lrwxrwxrwx 1 1000 100 0 Feb 29 2024 '/absolute' -> '/usr/../etc/./passwd'`,
		`/level 17/level 18/level 19/file'`,
		`'/` + strings.Repeat("語", 85) + `'`,
	} {
		if !strings.Contains(out, line) {
			t.Errorf("xorriso shows no %q", line)
		}
	}
	out, err = xorriso(path, "-getfattr_r", "/", "--")
	must(t, err)
	for _, line := range []string{`user.comment=`, `user.level="13"`, `user.level="19"`, `user.root="1"`} {
		if !strings.Contains(out, line) {
			t.Errorf("xorriso shows no attribute %s", line)
		}
	}
}

// TestRelocatedSuperblock builds what an overwritable medium holds: a session at
// block 32 and its superblock at 0.
func TestRelocatedSuperblock(t *testing.T) {
	opt := everything()
	opt.Start, opt.Align, opt.OwnSize = 32, 32, true
	path, l := build(t, plain(), opt)
	relocateSuperblock(t, path, l)
	m := openFile(t, path)
	for _, row := range []struct {
		start, size uint32
		reason      string
	}{
		{0, 32 + l.Blocks(), "for those who do not know sessions"},
		{32, l.Blocks(), "libisoburn looks for the next session by it"},
		{l.Sbsector(), 32 + l.Blocks(), "for Linux"},
	} {
		v, err := volume.Open(t.Context(), m, row.start, volume.Options{})
		must(t, err)
		joliet, _ := v.Joliet()
		if p, j := v.Primary().VolumeSpaceSize(), joliet.VolumeSpaceSize(); p != row.size || j != row.size {
			t.Errorf("the descriptors behind block %d tell of %d and %d blocks instead of %d: %s", row.start, p, j, row.size, row.reason)
		}
		compare(t, m, row.start, plain())
	}
	head := make([]byte, image.SuperblockBlocks*iso9660.BlockSize)
	must(t, m.ReadBlocks(t.Context(), l.Start(), head))
	for _, row := range []struct {
		reason string
		head   []byte
		want   error
	}{
		{"too short", head[:100], iso9660.ErrLength},
		{"nothing recorded", make([]byte, len(head)), iso9660.ErrNotISO9660},
		{"a set without end", endless(head), iso9660.ErrTooMuch},
	} {
		if _, err := image.RelocatedSuperblock(row.head, 0); !errors.Is(err, row.want) {
			t.Errorf("%s: the error is %v instead of %v", row.reason, err, row.want)
		}
	}
}

func endless(head []byte) []byte {
	head = bytes.Clone(head)
	for at := iso9660.FirstDescriptor; at < image.SuperblockBlocks; at++ {
		copy(head[at*iso9660.BlockSize:], head[iso9660.FirstDescriptor*iso9660.BlockSize:][:iso9660.BlockSize])
	}
	return head
}
