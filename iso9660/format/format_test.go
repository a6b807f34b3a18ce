package format

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
)

var update = flag.Bool("update", false, "write the dump in example.go anew")

// second is where the worked example's continuation session begins.
const second = 96

// root is a Source with files in its root directory only, by name.
type root map[string]*image.Node

func (r root) Root(context.Context) (image.Node, error) { return node(1, "", 0o040755, nil), nil }

func (r root) Children(context.Context, image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		for _, n := range r {
			if !yield(*n, nil) {
				return
			}
		}
	}
}

func node(id uint64, name string, mode uint32, content []byte) image.Node {
	n := image.Node{
		ID: id, Name: name, Mode: mode, Nlink: 1, UID: 1000, GID: 100,
		Mtime: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), Handle: content,
	}
	if len(content) > 0 {
		n.Pieces = []image.Piece{{Size: int64(len(content))}}
	}
	return n
}

// burn appends a session to the disc, whose new files it may read afterwards.
func burn(t *testing.T, disc []byte, start uint32, tree root) ([]byte, *image.Layout) {
	t.Helper()
	ctx := t.Context()
	l, err := image.Plan(ctx, tree, image.Options{
		Start: start, RockRidge: true, Joliet: true, Checksums: true, SHA256: true, VolumeID: "EXAMPLE",
		Now: time.Date(2026, time.March, 2, 0, 0, int(start), 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = l.Write(ctx, &out, func(_ context.Context, f image.File) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(f.Handle.([]byte))), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	disc = append(disc, make([]byte, int(start)*iso9660.BlockSize-len(disc))...)
	return append(disc, out.Bytes()...), l
}

// example makes the disc of the worked example.
func example(t *testing.T) []byte {
	t.Helper()
	old := node(2, "old.txt", 0o100644, []byte("burned before\n"))
	disc, l := burn(t, nil, 0, root{"old.txt": &old})
	for f, err := range l.Files(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		old.Pieces[0].Old, old.Pieces[0].LBA = true, f.New[0].LBA
	}
	sum, sum256 := md5.Sum(old.Handle.([]byte)), sha256.Sum256(old.Handle.([]byte))
	old.OldMD5, old.OldSHA256 = &sum, &sum256
	fresh := node(3, "a new file", 0o100600, []byte("burned now\n"))
	fresh.Mtime = fresh.Mtime.Add(123456789)
	disc, _ = burn(t, disc, second, root{"old.txt": &old, "a new file": &fresh})
	return disc
}

// dump shows a session 16 bytes a line, as hexdump -C does: block, offset in it,
// bytes, text; a line that repeats the one before it is left out, and so are zeros.
func dump(session []byte, start int) string {
	var out strings.Builder
	var last []byte
	for at := 0; at < len(session); at += 16 {
		line := session[at : at+16]
		if at%iso9660.BlockSize == 0 {
			last = make([]byte, 16)
		}
		if bytes.Equal(line, last) {
			continue
		}
		last = line
		text := bytes.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, []byte(latin1(line)))
		fmt.Fprintf(&out, "//\t%3d+%03x  % x  |%s|\n", start+at/iso9660.BlockSize, at%iso9660.BlockSize, line, text)
	}
	return out.String()
}

// latin1 makes a character of each byte.
func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

const (
	file  = "example.go"
	begin = "//\tblock+byte\n"
	end   = "package format\n"
)

// TestExample makes the disc of the worked example anew and compares it with the dump
// in the comment, lets our checker and foreign programs read it, and looks that the
// comment is what go doc prints.
func TestExample(t *testing.T) {
	disc := example(t)
	want := dump(disc[second*iso9660.BlockSize:], second)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	from, to := bytes.Index(source, []byte(begin))+len(begin), bytes.Index(source, []byte(end))
	if from < len(begin) || to < from {
		t.Fatalf("%s has no dump", file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(string(source[:from])+want+string(source[to:])), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got := string(source[from:to]); got != want {
		t.Errorf("the dump in %s is not what is recorded; go test ./iso9660/format -update writes it", file)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Doc == nil || !strings.Contains(parsed.Doc.Text(), "session tag") {
		t.Errorf("the comment of %s is not the package's", file)
	}

	path := filepath.Join(t.TempDir(), "disc")
	if err := os.WriteFile(path, disc, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("xorriso", "-abort_on", "SORRY", "-for_backup", "-load", "sbsector", fmt.Sprint(second), "-indev", path,
		"-check_md5", "SORRY", "/a new file", "/old.txt", "--", "-find", "/", "--").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "'/a new file'") || !strings.Contains(string(out), "'/old.txt'") {
		t.Errorf("xorriso: %v\n%s", err, out)
	}
	for _, start := range []uint32{0, second} {
		for f, err := range check.Check(t.Context(), blocks(disc), start, check.Options{Data: true}) {
			t.Errorf("the session at block %d: %v %v", start, f, err)
		}
	}
}

type blocks []byte

// ReadBlocks implements iso9660.BlockReader.
func (b blocks) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	at := int(lba) * iso9660.BlockSize
	if at+len(p) > len(b) {
		return io.ErrUnexpectedEOF
	}
	copy(p, b[at:])
	return nil
}
