package volume_test

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/volume"
)

// acl has a named user and a named group, as Linux stores it.
var (
	accessACL = []byte{
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255, // user::rw-
		2, 0, 5, 0, 123, 0, 0, 0, // user:123:r-x
		2, 0, 6, 0, 0x70, 0x11, 1, 0, // user:70000:rw-
		4, 0, 4, 0, 255, 255, 255, 255, // group::r--
		8, 0, 7, 0, 255, 255, 0, 0, // group:65535:rwx
		16, 0, 7, 0, 255, 255, 255, 255, // mask::rwx
		32, 0, 0, 0, 255, 255, 255, 255, // other::---
	}
	defaultACL = []byte{
		2, 0, 0, 0,
		1, 0, 7, 0, 255, 255, 255, 255,
		4, 0, 5, 0, 255, 255, 255, 255,
		32, 0, 5, 0, 255, 255, 255, 255,
	}
)

// attributeTree makes a directory whose files have attributes, and tells which.
func attributeTree(t *testing.T) (source string, want map[string][]aaip.Attr) {
	t.Helper()
	source = filepath.Join(t.TempDir(), "source")
	must(t, os.MkdirAll(filepath.Join(source, "dir"), 0o755))
	for _, name := range []string{"none", "few", "acl", "large", "dir/inside"} {
		write(t, filepath.Join(source, name), []byte(name), 0o644)
	}
	want = map[string][]aaip.Attr{
		".": {{Name: "user.root", Value: []byte("of the tree")}},
		"few": {
			{Name: "user.empty", Value: nil},
			{Name: "user.name", Value: []byte("value")},
			{Name: "user.zero", Value: []byte{0, 1, 2, 0}},
			{Name: "user." + strings.Repeat("n", 240), Value: []byte("long name")},
		},
		"acl": {{Name: aaip.NameACLAccess, Value: accessACL}, {Name: "user.beside", Value: []byte("acl")}},
		"dir": {
			{Name: aaip.NameACLAccess, Value: accessACL},
			{Name: aaip.NameACLDefault, Value: defaultACL},
			{Name: "user.dir", Value: []byte("d")},
		},
		"large":      {{Name: "user.large", Value: bytes.Repeat([]byte("0123456789abcdef"), 200)}},
		"dir/inside": nil,
		"none":       nil,
	}
	if os.Geteuid() == 0 {
		want["none"] = []aaip.Attr{{Name: "trusted.overlay", Value: []byte("y")}, {Name: "security.capability", Value: capability}}
	}
	for name, attrs := range want {
		for _, a := range attrs {
			if err := unix.Setxattr(filepath.Join(source, name), a.Name, a.Value, 0); err != nil {
				t.Fatalf("%s: %s: %v (the directory for temporary files must be on a file system with attributes)", name, a.Name, err)
			}
		}
	}
	return source, want
}

// capability is cap_net_raw=ep in version 2 of its form.
var capability = []byte{1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

func TestAttributesOfXorriso(t *testing.T) {
	source, want := attributeTree(t)
	for _, producer := range [][]string{
		{"xorriso", "-xattr", "any", "-acl", "on", "-md5", "on", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"},
		{"xorriso", "-xattr", "any", "-acl", "on", "-compliance", "new_rr:aaip_susp_1_10_off", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"},
	} {
		r := produce(t, producer, source)
		got := walk(t, mustOpen(t, r, 0, volume.Options{}))
		for name, attrs := range want {
			byName := func(a, b aaip.Attr) int { return cmp.Compare(a.Name, b.Name) }
			g := slices.SortedFunc(slices.Values(got[name].Xattrs), byName)
			w := slices.SortedFunc(slices.Values(attrs), byName)
			if !slices.EqualFunc(g, w, func(a, b aaip.Attr) bool { return a.Name == b.Name && bytes.Equal(a.Value, b.Value) }) {
				t.Errorf("%v: %s: attributes %v, want %v", producer[5:7], name, g, w)
			}
		}
	}
}

func TestChecksumsOfXorriso(t *testing.T) {
	source := sourceTree(t)
	r := produce(t, []string{"xorriso", "-md5", "on", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"}, source)
	v := mustOpen(t, r, 0, volume.Options{})
	ctx := t.Context()
	array, err := v.Checksums(ctx)
	must(t, err)
	if array == nil {
		t.Fatal("no array of checksums")
	}
	must(t, array.Verify(ctx))

	files := uint32(0)
	for name, e := range walk(t, v) {
		if !e.IsRegular() {
			if e.ChecksumIndex != 0 {
				t.Errorf("%s has checksum %d", name, e.ChecksumIndex)
			}
			continue
		}
		if e.ChecksumIndex == 0 {
			t.Errorf("%.80s has no checksum", name)
			continue
		}
		files++
		sum, recorded, err := array.File(ctx, e.ChecksumIndex)
		must(t, err)
		if !recorded || sum != md5.Sum(content(t, r, e)) {
			t.Errorf("%.80s: the checksum differs", name)
		}
	}
	if files < 300 {
		t.Errorf("only %d files had checksums", files)
	}
	if _, _, err := array.File(ctx, array.Files()+1); !errors.Is(err, iso9660.ErrOutside) {
		t.Errorf("an index beyond the array: %v", err)
	}

	area := array.Area()
	blocks := func(from, to uint32) []byte {
		b := make([]byte, int64(to-from)*iso9660.BlockSize)
		must(t, r.ReadBlocks(ctx, from, b))
		return b
	}
	session, err := array.Session(ctx)
	must(t, err)
	if session != md5.Sum(blocks(area.Start, area.Array)) {
		t.Error("the checksum of the session differs")
	}

	// The tags: the one behind the relocated descriptors at block 0 leads to the
	// session, whose three lead from one to the next.
	check := func(lba uint32, kind checksum.Kind) checksum.Tag {
		tag, err := checksum.ParseTag(blocks(lba, lba+1))
		if err != nil {
			t.Fatalf("block %d: %v", lba, err)
		}
		if tag.Kind != kind || tag.Pos != lba || tag.RangeStart+tag.RangeSize != lba {
			t.Errorf("block %d: %+v, want %v", lba, tag, kind)
		}
		if tag.MD5 != md5.Sum(blocks(tag.RangeStart, lba)) {
			t.Errorf("%v at %d: the checksum differs", kind, lba)
		}
		if !bytes.Equal(tag.Block(), blocks(lba, lba+1)) {
			t.Errorf("%v at %d: %q, we would write %q", kind, lba, blocks(lba, lba+1)[:200], tag.Block()[:200])
		}
		return tag
	}
	tag := check(18, checksum.RelocatedSuperblock)
	if tag.Next != area.Start {
		t.Errorf("the session begins at %d by the tag and at %d by isofs.ca", tag.Next, area.Start)
	}
	tag = check(area.Start+18, checksum.Superblock)
	tag = check(tag.Next, checksum.Tree)
	tag = check(tag.Next, checksum.Session)
	if want := area.Array + checksum.ArrayBlocks(area.Count); tag.Pos != want {
		t.Errorf("session tag at %d, want %d", tag.Pos, want)
	}
}

func TestNoChecksums(t *testing.T) {
	for _, name := range []string{"genisoimage-rr", "genisoimage-joliet", "genisoimage-plain"} {
		array, err := mustOpen(t, imageOf(stored(t, name)), 0, volume.Options{}).Checksums(t.Context())
		if array != nil || err != nil {
			t.Errorf("%s: %v, %v", name, array, err)
		}
	}
}

// TestNanosecondsAbsent checks that times of foreign discs are whole seconds.
func TestNanosecondsAbsent(t *testing.T) {
	source := filepath.Join(t.TempDir(), "source")
	must(t, os.Mkdir(source, 0o755))
	path := filepath.Join(source, "f")
	write(t, path, []byte("x"), fs.FileMode(0o644))
	must(t, unix.UtimesNano(path, []unix.Timespec{{Sec: 1e9, Nsec: 1}, {Sec: 1e9, Nsec: 999_999_999}}))
	r := produce(t, []string{"genisoimage", "-quiet", "-R", "-o", "IMAGE", "SOURCE"}, source)
	e := walk(t, mustOpen(t, r, 0, volume.Options{}))["f"]
	if e.Mtime.Unix() != 1e9 || e.Mtime.Nanosecond() != 0 {
		t.Errorf("mtime = %v", e.Mtime)
	}
}
