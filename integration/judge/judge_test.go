package judge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// witness is a test that only notes that it failed.
type witness struct {
	testing.TB
	said strings.Builder
}

func (w *witness) Errorf(format string, args ...any) { fmt.Fprintf(&w.said, format+"\n", args...) }
func (w *witness) Error(args ...any)                 { fmt.Fprintln(&w.said, args...) }
func (w *witness) Fatalf(format string, args ...any) { w.Errorf(format, args...); runtime.Goexit() }
func (w *witness) Fatal(args ...any)                 { w.Error(args...); runtime.Goexit() }
func (w *witness) FailNow()                          { runtime.Goexit() }

// complaints is what f says of a disc, "" if it is content.
func complaints(t *testing.T, file string, f func(View)) string {
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(Open(w, file).Session(0))
	}()
	<-done
	return w.said.String()
}

const victim = "victim-of-the-patches"

// sample is a disc with a tree in which each thing that is patched exists once.
func sample(t *testing.T) (disc []byte, tree manifest.Tree) {
	t.Helper()
	l := harness.New(t)
	root := l.Mkdir("tree", 0o755)
	file := filepath.Join(root, "dir", victim)
	when := time.Date(2020, 5, 17, 3, 4, 5, 0, time.UTC)
	for _, err := range []error{
		os.Mkdir(filepath.Join(root, "dir"), 0o755),
		os.WriteFile(file, []byte("the content of the victim"), 0o640),
		os.Chown(file, 1234, 567),
		os.Chtimes(file, when, when),
		os.Symlink("the/target/of/the/link", filepath.Join(root, "dir", "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	image := l.Path("image.iso")
	l.MustBurnfs("image", "-quiet", "-R", "-J", "-o", image, root)
	disc, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	return disc, manifest.MustRead(t, root)
}

// recordOf finds the directory record that a pattern lies in: records follow each
// other from the beginning of a block on (ECMA-119 9.1).
func recordOf(t *testing.T, disc, pattern []byte) []byte {
	t.Helper()
	for from := 0; ; {
		i := bytes.Index(disc[from:], pattern)
		if i < 0 {
			t.Fatalf("no directory record contains %q", pattern)
		}
		i += from
		for at := i / blockSize * blockSize; at <= i && disc[at] > 33; at += int(disc[at]) {
			if end := at + int(disc[at]); i < end && end <= len(disc) {
				return disc[at:end] // up to the end of disc in capacity
			}
		}
		from = i + 1
	}
}

func ucs2(s string) []byte {
	var b []byte
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	return b
}

// entry is where the data of a System Use entry begin in a record.
func entry(t *testing.T, record []byte, signature string) []byte {
	t.Helper()
	i := bytes.Index(record, []byte(signature))
	if i < 0 {
		t.Fatalf("no %s in % x", signature, record)
	}
	return record[i+4:]
}

// TestEachJudgeNotices damages a disc in one place after the other. Each program that
// shows that place must see it, and no other one.
func TestEachJudgeNotices(t *testing.T) {
	disc, tree := sample(t)
	rr := func(name string) []byte { return recordOf(t, disc, []byte(name)) }
	joliet := func(name string) []byte { return recordOf(t, disc, ucs2(name)) }
	const (
		extentAt = 2 // ECMA-119 9.1.3, both-byte order
		sizeAt   = 10
		dateAt   = 18
		flagsAt  = 25
	)
	// TF has its flags and then the times they name (RRIP 4.1.6), the second of which
	// is that of the modification if there is one of the creation.
	modified := entry(t, rr(victim), "TF")[1:]
	if entry(t, rr(victim), "TF")[0]&1 != 0 {
		modified = modified[7:]
	}
	// The directory's own record is the first in its block, that of its parent the second.
	first := len(disc) - cap(rr(victim))
	parent := disc[first/blockSize*blockSize:]
	parent = parent[parent[0]:]
	var (
		posix    = []string{"xorriso", "isoinfo -R", "bsdtar", "iso-info --no-joliet"}
		onJoliet = []string{"isoinfo -J", "7z", "iso-info"}
		everyone = slices.Concat(posix, onJoliet)
	)
	for _, c := range []struct {
		reason string
		at     []byte // in the disc
		new    []byte
		sees   []string
	}{
		{"nothing is damaged", nil, nil, nil},
		{"a byte of a file", disc[bytes.Index(disc, []byte("the content of")):], []byte("T"), everyone},
		{"the size of a file", rr(victim)[sizeAt:], []byte{24, 0, 0, 0, 0, 0, 0, 24}, posix},
		{"its size in Joliet", joliet(victim)[sizeAt:], []byte{24, 0, 0, 0, 0, 0, 0, 24}, onJoliet},
		{"its name", entry(t, rr(victim), "NM")[1:], []byte("V"), posix},
		{"its name in Joliet", joliet(victim)[33:], ucs2("V"), onJoliet},
		{"its mode", entry(t, rr(victim), "PX"), []byte{0o644 & 0xff, 0x81, 0, 0, 0, 0, 0x81, 0o644 & 0xff}, posix},
		{"its owner", entry(t, rr(victim), "PX")[16:], []byte{9, 0, 0, 0, 0, 0, 0, 9}, posix},
		{"its time", modified, []byte{99}, []string{"xorriso", "bsdtar", "iso-info --no-joliet"}},
		{"its date in Joliet", joliet(victim)[dateAt:], []byte{99}, []string{"7z"}},
		{"the target of a link", rr("the")[bytes.Index(rr("the"), []byte("target")):], []byte("T"), []string{"xorriso", "bsdtar", "iso-info --no-joliet"}},
		{"where .. leads", parent[extentAt:], []byte{99, 0, 0, 0, 0, 0, 0, 99}, []string{"isovfy"}},
		{"the flags of a record", rr(victim)[flagsAt:], []byte{0x20}, []string{"isovfy"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			if c.at == nil && c.reason != "nothing is damaged" {
				t.Fatal("nothing to patch")
			}
			copied := filepath.Join(t.TempDir(), "disc.iso")
			old := slices.Clone(c.at[:len(c.new)])
			copy(c.at, c.new)
			err := os.WriteFile(copied, disc, 0o644)
			copy(c.at, old)
			if err != nil {
				t.Fatal(err)
			}
			said := make(map[string]string)
			for _, j := range append(slices.DeleteFunc(slices.Clone(All), func(j Judge) bool { return j.Name == Xorriso.Name }), XorrisoUnchecked) {
				name, _, _ := strings.Cut(j.Name, " -md5")
				said[name] = complaints(t, copied, func(v View) { v.Compare(tree, j) })
			}
			said["isovfy"] = complaints(t, copied, View.Isovfy)
			for name, what := range said {
				if slices.Contains(c.sees, name) != (what != "") {
					t.Errorf("%s says %q", name, what)
				}
			}
		})
	}
}
