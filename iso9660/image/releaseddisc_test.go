package image_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/image/merge"
	"burnfs/iso9660/volume"
)

// md5Disc is a whole disc that a version before SHA-256s recorded by mounting it,
// see make-disc.sh beside it: two sessions of an overwritable medium, at blocks 32
// and 96, the superblock of the second at 0.
const md5Disc = "testdata/released/md5-disc.iso.gz"

const md5DiscNext = 160 // block of the next session

// What its sessions show: type and permissions, number of names, time of
// modification, content or target, extended attributes. Access control lists have the
// form of Linux, version 2 and eight bytes for each entry.
var (
	md5DiscFirst = map[string]string{
		".":            `40755 3 2026-11-23T02:05:37.87566361Z`,
		"d":            `40755 2 2026-11-23T02:05:37.878895999Z system.posix_acl_default=0200000001000700ffffffff04000500ffffffff080005002e16000010000500ffffffff20000500ffffffff`,
		"d/file":       `100664 1 1999-12-31T23:59:59.999999999Z "in a directory\n" system.posix_acl_access=0200000001000600ffffffff02000600d204000004000400ffffffff10000600ffffffff20000400ffffffff`,
		"d/symlink":    `120777 1 2026-11-23T02:05:37.878895999Z ../hello.txt`,
		"empty":        `100644 1 2026-11-23T02:05:37.838409965Z ""`,
		"hard link":    `100644 2 2024-02-29T12:34:56.789012345Z "hello, world\n" user.comment=6772656574696e67`,
		"hello.txt":    `100644 2 2024-02-29T12:34:56.789012345Z "hello, world\n" user.comment=6772656574696e67`,
		"three blocks": `100644 1 2026-11-23T02:05:37.869831555Z 5000 times "x"`,
	}
	md5DiscSecond = map[string]string{
		".":         `40755 3 2026-11-23T02:05:38.381047059Z`,
		"d":         `40755 2 2026-11-23T02:05:38.381047059Z system.posix_acl_default=0200000001000700ffffffff04000500ffffffff080005002e16000010000500ffffffff20000500ffffffff`,
		"d/file":    `100664 1 1999-12-31T23:59:59.999999999Z "in a directory\n" system.posix_acl_access=0200000001000600ffffffff02000600d204000004000400ffffffff10000600ffffffff20000400ffffffff`,
		"d/renamed": `100644 1 2026-11-23T02:05:37.869831555Z 5000 times "x"`,
		"d/symlink": `120777 1 2026-11-23T02:05:37.878895999Z ../hello.txt`,
		"empty":     `100644 1 2026-11-23T02:05:37.838409965Z ""`,
		"hard link": `100644 2 2026-11-23T02:05:38.379183717Z "hello, world\nmore\n" user.comment=6772656574696e67`,
		"hello.txt": `100644 2 2026-11-23T02:05:38.379183717Z "hello, world\nmore\n" user.comment=6772656574696e67`,
		"second":    `100644 1 2026-11-23T02:05:38.378554459Z "of the second session\n"`,
	}
)

// describe tells of all files of a volume what is listed above.
func describe(t *testing.T, m medium, start uint32) map[string]string {
	t.Helper()
	all := map[string]string{}
	for visit, err := range openVolume(t, m, start, volume.Options{}).Walk(t.Context()) {
		must(t, err)
		e := visit.Entry
		text := fmt.Sprintf("%o %d %s", e.Mode, e.Nlink, e.Mtime.UTC().Format(time.RFC3339Nano))
		switch content := content(t, m, e); {
		case e.IsSymlink():
			text += " " + e.Target
		case len(content) > iso9660.BlockSize && len(bytes.Trim(content, "x")) == 0:
			text += fmt.Sprintf(` %d times "x"`, len(content))
		case e.IsRegular():
			text += fmt.Sprintf(" %q", content)
		}
		for _, a := range e.Xattrs {
			text += fmt.Sprintf(" %s=%x", a.Name, a.Value)
		}
		all[visit.Path] = text
	}
	return all
}

// content is that of a regular file.
func content(t *testing.T, m medium, e volume.Entry) (content []byte) {
	t.Helper()
	if !e.IsRegular() {
		return nil
	}
	for _, s := range e.Sections {
		b := make([]byte, s.Blocks()*iso9660.BlockSize)
		must(t, m.ReadBlocks(t.Context(), s.LBA, b))
		content = append(content, b[:s.Size]...)
	}
	return content
}

func sameListing(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("%q:\n got %s\nwant %s", path, got[path], want[path])
		}
	}
	for path, text := range got {
		if want[path] == "" {
			t.Errorf("%q is there: %s", path, text)
		}
	}
}

// sound demands that check finds nothing, in data neither.
func sound(t *testing.T, m medium, start uint32) {
	t.Helper()
	for f, err := range check.Check(t.Context(), m, start, check.Options{Data: true}) {
		t.Errorf("session at block %d: %v, %v", start, f, err)
	}
}

// unpack puts the disc into a file of its own.
func unpack(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disc.iso")
	must(t, os.WriteFile(path, fixture.Unpack(t, md5Disc), 0o644))
	return path
}

// TestReleasedDisc reads the disc whole, and continues it: all that was there is still
// there, where it was, and only what is new has a SHA-256.
func TestReleasedDisc(t *testing.T) {
	path := unpack(t)
	m := openFile(t, path)
	for start, want := range map[uint32]map[string]string{32: md5DiscFirst, 96: md5DiscSecond, 0: md5DiscSecond} {
		sameListing(t, describe(t, m, start), want)
		sound(t, m, start)
		v := openVolume(t, m, start, volume.Options{})
		sums, err := v.Checksums(t.Context())
		must(t, err)
		if sums == nil {
			t.Fatalf("session at block %d: no checksums", start)
		}
		must(t, sums.Verify(t.Context()))
		if shas, err := v.SHA256s(t.Context()); shas != nil || err != nil {
			t.Errorf("session at block %d: SHA-256s of a time when there were none: %v, %v", start, shas, err)
		}
	}
	sections := func(start uint32) map[string]string {
		all := map[string]string{}
		for visit, err := range openVolume(t, m, start, volume.Options{}).Walk(t.Context()) {
			must(t, err)
			if e := visit.Entry; e.IsRegular() && e.Size > 0 {
				all[visit.Path] = fmt.Sprint(e.Sections)
			}
		}
		return all
	}
	before := sections(0)

	old, err := merge.Load(t.Context(), m, 0, t.TempDir())
	must(t, err)
	defer old.Close()
	fresh := newTree()
	fresh.root.Node.Mtime = time.Time{} // which says that the old root's attributes stay
	fresh.file(fresh.root, "third", []byte("of the third session\n"))
	src, damaged, err := merge.New(t.Context(), old.Volume, fresh)
	must(t, errors.Join(damaged, err))
	opt := everything()
	opt.Start, opt.Align = md5DiscNext, 32
	l := buildInto(t, path, src, opt, open)
	relocateSuperblock(t, path, l)

	want := maps.Clone(md5DiscSecond)
	want["third"] = `100644 1 2024-02-29T12:34:56.789Z "of the third session\n"`
	for _, start := range []uint32{md5DiscNext, 0} {
		sameListing(t, describe(t, m, start), want)
		sound(t, m, start)
		v := openVolume(t, m, start, volume.Options{})
		hashed := map[string][sha256.Size]byte{}
		for f, err := range v.HashedFiles(t.Context()) {
			must(t, err)
			hashed[f.Path] = f.SHA256
		}
		// There is only one content of no bytes.
		delete(hashed, "empty")
		if len(hashed) != 1 || hashed["third"] != sha256.Sum256([]byte("of the third session\n")) {
			t.Errorf("session at block %d: the SHA-256s are %x", start, hashed)
		}
		for path, where := range before {
			if now := sections(start)[path]; now != where {
				t.Errorf("%q is at %s, and was at %s", path, now, where)
			}
		}
		// MD5s go on.
		sums, err := v.Checksums(t.Context())
		must(t, err)
		for visit, err := range v.Walk(t.Context()) {
			must(t, err)
			if !visit.Entry.IsRegular() {
				continue
			}
			if _, recorded, err := sums.Lookup(t.Context(), visit.Entry.ChecksumIndex); !recorded || err != nil {
				t.Errorf("%q: no MD5, %v", visit.Path, err)
			}
		}
	}
	sameListing(t, describe(t, m, 32), md5DiscFirst)
	sameListing(t, describe(t, m, 96), md5DiscSecond)
	sound(t, m, 32)
	sound(t, m, 96)
}
