package agree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

// extremeTrees are what other tests have little of. Each is the first session of a
// disc, and a second one adds a file.
var extremeTrees = []struct {
	name string
	make func(t testing.TB, root string)
}{
	{"empty", func(testing.TB, string) {}},
	{"seven levels and eight and nine", func(t testing.TB, root string) {
		for n := range 12 {
			dir := root + "/" + strings.Repeat("d/", n)
			must(t, os.MkdirAll(dir, 0o755), os.WriteFile(fmt.Sprintf("%sat level %d", dir, n+2), []byte{byte(n)}, 0o644))
		}
	}},
	{"names", func(t testing.TB, root string) {
		for n := range 255 {
			must(t, os.WriteFile(root+"/"+strings.Repeat(string(rune('a'+n%26)), n+1), []byte(fmt.Sprint(n)), 0o644))
		}
	}},
	{"hard links", func(t testing.TB, root string) {
		must(t, os.WriteFile(root+"/first", []byte("of many"), 0o644))
		for n := range 300 {
			must(t, os.Link(root+"/first", fmt.Sprintf("%s/name %03d", root, n)))
		}
	}},
	{"devices", func(t testing.TB, root string) {
		for n := range 4 {
			dev := int(unix.Mkdev(uint32(n*60), uint32(n*80)))
			must(t, unix.Mknod(fmt.Sprintf("%s/char%d", root, n), unix.S_IFCHR|0o600, dev),
				unix.Mknod(fmt.Sprintf("%s/block%d", root, n), unix.S_IFBLK|0o640, dev),
				unix.Mknod(fmt.Sprintf("%s/fifo%d", root, n), unix.S_IFIFO|0o644, 0),
				unix.Mknod(fmt.Sprintf("%s/socket%d", root, n), unix.S_IFSOCK|0o755, 0))
		}
	}},
	{"many entries", func(t testing.TB, root string) {
		for n := range 1000 {
			must(t, os.WriteFile(fmt.Sprintf("%s/entry %d", root, n), nil, 0o644))
		}
	}},
	{"targets", func(t testing.TB, root string) {
		for n := 1; n < 90; n += 7 {
			must(t, os.Symlink(strings.Repeat("t/", n)+"end", fmt.Sprintf("%s/%d", root, n)))
		}
	}},
}

// Extremes puts their discs into a directory.
func Extremes(t testing.TB, dir string) {
	t.Helper()
	l := harness.New(t)
	for i, x := range extremeTrees {
		root := l.Mkdir(x.name, 0o755)
		x.make(t, root)
		to := filepath.Join(dir, strings.ReplaceAll(x.name, " ", "_"))
		must(t, os.RemoveAll(to), os.MkdirAll(to, 0o755))
		// Every other disc shows its newest session at block 16.
		media := []string{"bd-r", "bd-re"}[i%2]
		d := l.Adopt(media, filepath.Join(to, "disc-"+media))
		l.MustBurnfs("create", "--media", media, "--size", "100MB", d.Path)
		m := d.Mount()
		must(t, os.WriteFile(m.Path("file"), []byte("in the first session"), 0o644))
		harness.Run(l, "cp", "-a", root+"/.", m.Point)
		m.Burn()
		m = d.Mount()
		must(t, os.WriteFile(m.Path("added"), []byte("in the second session"), 0o644))
		m.Burn()
	}
}

// ExtremeDiscs is how many discs Extremes makes.
func ExtremeDiscs() int { return len(extremeTrees) }

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
