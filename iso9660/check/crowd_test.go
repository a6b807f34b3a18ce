package check_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// crowd is a disc of n files with content, each of its own.
func crowd(t *testing.T, n int) *patient {
	t.Helper()
	tree := newTree()
	d := tree.dir(tree.root, "d")
	for i := range n {
		tree.file(d, fmt.Sprintf("file%03d", i), fmt.Append(nil, "content ", i))
	}
	opt := everything()
	opt.Start = gardenStart
	return &patient{T: t, disc: build(t, tree, opt, pattern(gardenStart*iso9660.BlockSize))}
}

// TestManyChecksums damages SHA-256s and files on both sides of the border of the
// first block of the array, which has room for those of 62 files, and of the first of
// the MD5s, with 126.
func TestManyChecksums(t *testing.T) {
	for _, n := range []int{61, 62, 63, 64, 126, 127, 190} {
		t.Run(fmt.Sprint(n, " files"), func(t *testing.T) {
			p := crowd(t, n)
			clean(t, p, p.start)
			v, err := volume.Open(t.Context(), p, p.start, volume.Options{})
			must(t, err)
			shas, err := v.SHA256s(t.Context())
			must(t, err)
			if shas == nil || shas.Files() != uint32(n) {
				t.Fatalf("%+v for %d files", shas, n)
			}
			hashed := map[uint32]volume.HashedFile{}
			for f, err := range v.HashedFiles(t.Context()) {
				must(t, err)
				hashed[f.Entry.ChecksumIndex] = f
				var i int
				if _, err := fmt.Sscanf(f.Entry.Name, "file%d", &i); err != nil || f.SHA256 != sha256.Sum256(fmt.Append(nil, "content ", i)) {
					t.Errorf("%q: SHA-256 %x, %v", f.Path, f.SHA256, err)
				}
			}
			if len(hashed) != n {
				t.Errorf("%d files with a SHA-256 of %d", len(hashed), n)
			}
			sum := func(index int) []byte {
				at := (int64(shas.Area().Array-p.base))*iso9660.BlockSize + int64(index)*sha256.Size
				return p.blocks[at:][:sha256.Size]
			}
			finds := func(what, path string, rules ...check.Rule) {
				t.Helper()
				slices.Sort(rules)
				if all := p.check(t); !slices.Equal(rulesOf(all), rules) || path != "" && all[0].Path != path {
					t.Errorf("%s: %v instead of %v of %q", what, all, rules, path)
				}
			}
			for _, index := range []int{1, 62, 63, 64, 65, 126, 127, 128, n} {
				if index > n {
					continue
				}
				f := hashed[uint32(index)]
				sum(index)[31] ^= 1
				finds(fmt.Sprintf("SHA-256 %d", index), "", check.SHA256Array, check.SessionChecksum)
				p.seal()
				finds(fmt.Sprintf("SHA-256 %d, sealed", index), "/"+f.Path, check.FileSHA256)
				sum(index)[31] ^= 1
				content := p.block(f.Entry.Sections[0].LBA)
				content[0] ^= 1
				p.seal()
				finds(fmt.Sprintf("file %d", index), "/"+f.Path, check.FileChecksum, check.FileSHA256)
				content[0] ^= 1
				p.seal()
			}
			for what, index := range map[string]int{"the SHA-256 of the tree": 0, "that of the array": n + 1} {
				sum(index)[0] ^= 1
				finds(what, "", check.SHA256Array, check.SessionChecksum)
				sum(index)[0] ^= 1
			}
			clean(t, p, p.start)
		})
	}
}

// TestHashedFiles: of a disc with one of everything all regular files have a SHA-256,
// each under all its names, and that of its content.
func TestHashedFiles(t *testing.T) {
	hashed := func(opt image.Options) map[string][sha256.Size]byte {
		d := build(t, zoo(), opt, nil)
		v, err := volume.Open(t.Context(), d, 0, volume.Options{})
		must(t, err)
		got := map[string][sha256.Size]byte{}
		for f, err := range v.HashedFiles(t.Context()) {
			must(t, err)
			got[f.Path] = f.SHA256
		}
		return got
	}
	got := hashed(everything())
	want := map[string][sha256.Size]byte{}
	var walk func(string, *memNode)
	walk = func(at string, n *memNode) {
		for _, c := range n.children {
			if c.IsRegular() {
				want[at+c.Name] = sha256.Sum256(c.content)
			}
			walk(at+c.Name+"/", c)
		}
	}
	walk("", zoo().root)
	for path, sum := range want {
		if got[path] != sum {
			t.Errorf("%q: %x instead of %x", path, got[path], sum)
		}
		delete(got, path)
	}
	for path := range got {
		t.Errorf("%q has a SHA-256", path)
	}
	without := everything()
	without.SHA256 = false
	if got := hashed(without); len(got) != 0 {
		t.Errorf("without the array %d files have a SHA-256", len(got))
	}
}
