package imageburn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"burnfs/iso9660"
)

// images are made by foreign tools for known places.
func images(t testing.TB) map[string]uint32 {
	t.Helper()
	dir := t.TempDir()
	src, wide := filepath.Join(dir, "src"), filepath.Join(dir, "wide")
	for i := range 300 { // path tables of several blocks before the root
		if err := os.MkdirAll(filepath.Join(wide, fmt.Sprintf("directory-with-a-long-name-%d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(src, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(src, "f"), []byte(strings.Repeat("x", 9000)), 0o644); err != nil {
		t.Fatal(err)
	}
	made := make(map[string]uint32)
	make := func(name string, start uint32, argv ...string) {
		t.Helper()
		out := filepath.Join(dir, name)
		if b, err := exec.Command(argv[0], append(argv[1:], "-o", out, src)...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", argv, err, b)
		}
		made[out] = start
	}
	make("genisoimage", 0, "genisoimage", "-quiet", "-R", "-J")
	make("xorriso", 0, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-J")
	first := filepath.Join(dir, "genisoimage")
	make("genisoimage-C", 11702, "genisoimage", "-quiet", "-R", "-C", "0,11702")
	make("genisoimage-C-M", 320, "genisoimage", "-quiet", "-R", "-J", "-C", "0,320", "-M", first)
	make("xorriso-C", 11702, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-C", "0,11702")
	src = wide
	make("many", 4096, "genisoimage", "-quiet", "-R", "-C", "0,4096")
	return made
}

func TestInspect(t *testing.T) {
	for path, start := range images(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, hints := range [][]uint32{{start, 0}, {0}, {7, 99999}, nil} {
			p := &peeker{r: bytes.NewReader(b)}
			o, err := inspect(p, hints...)
			if err != nil || !o.iso || o.start != start {
				t.Errorf("%s, hints %v: %+v, %v; want block %d", filepath.Base(path), hints, o, err, start)
			}
			if o.blocks != 0 && int64(o.blocks) > int64(len(b))/iso9660.BlockSize {
				t.Errorf("%s says it has %d blocks, it has %d", filepath.Base(path), o.blocks, len(b)/iso9660.BlockSize)
			}
			got, err := io.ReadAll(p)
			if err != nil || !bytes.Equal(got, b) {
				t.Errorf("%s: looking at it changed it: %d bytes, %v", filepath.Base(path), len(got), err)
			}
		}
	}
}

func TestInspectOthers(t *testing.T) {
	var good []byte
	for path, start := range images(t) {
		if start == 11702 {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			good = b
		}
	}
	noRoot := bytes.Clone(good)
	noRoot[16*2048+158]++ // another root (ECMA-119 8.4.18, 9.1.3)
	noRoot[16*2048+165]++
	for _, tt := range []struct {
		b      []byte
		iso    bool
		err    error
		reason string
	}{
		{nil, false, nil, "nothing"},
		{make([]byte, 100), false, nil, "less than a block"},
		{make([]byte, 100*2048), false, nil, "zeros"},
		{bytes.Repeat([]byte("tar"), 30000), false, nil, "something else"},
		{good[:17*2048], true, errNoRoot, "only the beginning"},
		{noRoot, true, errNoRoot, "a root that is not there"},
	} {
		o, err := inspect(&peeker{r: bytes.NewReader(tt.b)}, 0)
		if o.iso != tt.iso || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", tt.reason, o, err)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := inspect(&peeker{r: io.MultiReader(bytes.NewReader(good[:5000]), iotest.ErrReader(broken))}, 0); !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
}

func TestPeeker(t *testing.T) {
	content := []byte(strings.Repeat("0123456789abcde", 20000))
	for name, r := range map[string]io.Reader{
		"plain": bytes.NewReader(content), "half": iotest.HalfReader(bytes.NewReader(content)),
		"data and error": iotest.DataErrReader(bytes.NewReader(content)), "one byte": iotest.OneByteReader(bytes.NewReader(content)),
	} {
		p := &peeker{r: r}
		if b, err := p.block(3); err != nil || !bytes.Equal(b, content[3*2048:4*2048]) {
			t.Errorf("%s: block 3: %v", name, err)
		}
		if b, err := p.block(1 << 20); err != nil || b != nil {
			t.Errorf("%s: a block behind the end: %v", name, err)
		}
		var got []byte
		buf := make([]byte, 7000)
		for {
			n, err := p.Read(buf)
			got = append(got, buf[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n < len(buf) && len(got) != len(content) {
				t.Errorf("%s: a short read in the middle", name)
			}
		}
		if !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(content))
		}
	}
}

func FuzzInspect(f *testing.F) {
	for path := range images(f) {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[16*2048:min(len(b), 40*2048)], uint32(0))
	}
	f.Fuzz(func(t *testing.T, descriptors []byte, hint uint32) {
		b := append(make([]byte, 16*2048), descriptors...)
		p := &peeker{r: bytes.NewReader(b)}
		o, err := inspect(p, hint)
		if err == nil && o.start != 0 && !o.iso {
			t.Fatalf("%+v", o)
		}
		if got, err := io.ReadAll(p); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("looking at it changed it: %v", err)
		}
	})
}
