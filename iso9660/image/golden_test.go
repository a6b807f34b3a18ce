package image_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

var update = flag.Bool("update", false, "write the golden examples anew")

// TestGolden compares images byte by byte with those of earlier versions. A
// difference is a change of what is recorded on discs; an interrupted recording
// cannot be continued by a version that differs.
func TestGolden(t *testing.T) {
	for _, row := range []struct {
		name   string
		tree   *memTree
		change func(*image.Options)
	}{
		{"first", goldenTree(), func(*image.Options) {}},
		{"continued", goldenContinuation(), func(o *image.Options) { o.Start, o.Align = 352, 32 }},
	} {
		opt := everything()
		opt.SystemID, opt.Publisher, opt.Preparer, opt.Application = "Linux", "a publisher", "burnfs", "BURNFS"
		opt.ApplicationUse = []byte("for the application")
		row.change(&opt)
		b, _ := render(t, row.tree, opt)
		got := dump(b, opt.Start)
		path := filepath.Join("testdata", "golden", row.name+".txt")
		if *update {
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, got, 0o644))
		}
		want, err := os.ReadFile(path)
		must(t, err)
		if !bytes.Equal(got, want) {
			at := difference(got, want)
			from := bytes.LastIndexByte(want[:min(at, len(want))], '\n') + 1
			t.Errorf("%s differs from line\n%s", row.name, want[from:min(from+80, len(want))])
		}
	}
}

func goldenTree() *memTree {
	t := newTree()
	hello := t.file(t.root, "hello.txt", []byte("hello, world\n"))
	hello.Xattrs = []aaip.Attr{{Name: "user.comment", Value: []byte("greeting")}}
	d := t.dir(t.root, "directory")
	t.link(d, "hard link", hello)
	t.add(d, "symlink", symlink|0o777).Target = "../hello.txt"
	t.file(d, "a name that is so long that the record of the file has no room for it and that it has to go on elsewhere", nil)
	device := t.add(t.root, "null", 0o020666)
	device.RdevMajor, device.RdevMinor = 1, 3
	return t
}

func goldenContinuation() *memTree {
	t := newTree()
	old := t.file(t.root, "old", nil)
	old.Pieces = []image.Piece{{Size: 5000, Old: true, LBA: 100}}
	old.OldMD5 = &[16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	t.file(t.root, "appended to", append(make([]byte, 4096), "new bytes"...)).Pieces = []image.Piece{{Size: 4096, Old: true, LBA: 200}, {Size: 9}}
	d := t.root
	for i := range 9 {
		d = t.dir(d, fmt.Sprint(i))
	}
	t.file(d, "deep", []byte("deep"))
	return t
}

// dump shows the bytes that are not zero, with the block and the offset in it.
func dump(b []byte, start uint32) []byte {
	var out bytes.Buffer
	const width = 32
	zero := make([]byte, width)
	for at := 0; at < len(b); at += width {
		line := b[at : at+width]
		if bytes.Equal(line, zero) {
			continue
		}
		text := bytes.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, line)
		fmt.Fprintf(&out, "%6d %03x  %x  |%s|\n", start+uint32(at/iso9660.BlockSize), at%iso9660.BlockSize, line, text)
	}
	return out.Bytes()
}
