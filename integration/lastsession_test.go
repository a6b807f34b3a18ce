package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"burnfs/integration/harness"
)

// appendForeign burns an image of somebody else's as the next session, with or
// without the tree of the session before.
func appendForeign(l *harness.Lab, d *harness.Disc, n int, linked bool) {
	l.Helper()
	dir, out := l.Path(fmt.Sprintf("part%d", n)), l.Path("image.iso")
	write(l, dir+"/"+fmt.Sprintf("d/of session %d", n), strings.Repeat(strconv.Itoa(n), 9000))
	args := []string{"-quiet", "-R", "-J", "-o", out}
	switch {
	case n == 1 && harness.Overwritable(d.Media):
		args = append(args, "-C", "0,32")
	case n > 1:
		args = append(args, "-C", d.MSInfo())
		if linked {
			args = append(args, "-M", d.Path)
		}
	}
	harness.Run(l, "genisoimage", append(args, dir)...)
	l.MustBurnfs("burn", "-q", d.Path, out)
}

// names lists what a mount shows, sorted.
func names(t testing.TB, point string) string {
	t.Helper()
	return strings.TrimSpace(harness.Shell(t, `cd "$1" && find . -type f | LC_ALL=C sort | tr '\n' ' '`, point))
}

// TestLastSession has discs whose last session hides the ones before, or is broken.
func TestLastSession(t *testing.T) {
	t.Parallel()
	for _, media := range []string{harness.PlainISO, "bd-re", "bd-r", "cd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			d := l.Disc(media)
			if media == harness.PlainISO {
				if err := os.WriteFile(d.Path, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			appendForeign(l, d, 1, false)
			appendForeign(l, d, 2, true)
			appendForeign(l, d, 3, false)
			var unlinked []int
			for _, s := range d.Sessions() {
				if s.Unlinked {
					unlinked = append(unlinked, s.Number)
				}
			}
			last := d.Last()
			if len(unlinked) != 1 || unlinked[0] != last.Number {
				t.Errorf("sessions %v do not continue the ones before; it is the last of %+v", unlinked, d.Sessions())
			}
			if out := l.MustBurnfs("sessions", d.Path); strings.Count(out, "does not continue the sessions before it") != 1 {
				t.Errorf("burnfs sessions says\n%s", out)
			}
			m := d.Mount("ro", "session="+strconv.Itoa(last.Number-1))
			if got := names(t, m.Point); got != "./d/of session 1 ./d/of session 2" {
				t.Errorf("the session before shows %q", got)
			}
			m.Unmount()

			// The next one continues the last.
			m = d.Mount()
			harness.Shell(l, `echo x >"$1"`, m.Path("ours"))
			m.Burn()
			if s := d.Last(); s.Unlinked || !s.Burnfs {
				t.Errorf("the session of burnfs: %+v", s)
			}

			d.Broken = true // from here on
			for _, row := range []struct {
				what   string
				blocks func(start int64) []int64 // what is overwritten of the last session
			}{
				{"root directories", func(start int64) []int64 {
					return []int64{rootBlock(l, d.Path, start+16), rootBlock(l, d.Path, start+17)}
				}},
				{"primary volume descriptor", func(start int64) []int64 { return []int64{start + 16} }},
			} {
				start := int64(d.Last().Start)
				for _, at := range row.blocks(start) {
					garble(l, d.Path, at)
				}
				point := l.Mkdir("broken", 0o755)
				began := time.Now()
				r := l.Burnfs(d.Args(point)...)
				if r.Code != 0 || !strings.Contains(r.Stderr, "session "+strconv.Itoa(last.Number)+" is shown instead") {
					t.Errorf("with the %s of the session at block %d gone: %v", row.what, start, r)
					continue
				}
				m := l.Attach(d, point, began)
				if got := names(t, point); got != "./d/of session 3" {
					t.Errorf("with the %s gone the mount shows %q", row.what, got)
				}
				if out := l.MustBurnfs("status", point); !strings.Contains(out, "is shown instead") || !strings.Contains(out, "Read only") {
					t.Errorf("with the %s gone status says\n%s", row.what, out)
				}
				m.Unmount()
				if out := l.MustBurnfs("sessions", d.Path); strings.Count(out, "not readable: ") != 1 {
					t.Errorf("with the %s gone sessions says\n%s", row.what, out)
				}
			}
		})
	}
}

// rootBlock is where the root directory lies of the descriptor at a block.
func rootBlock(l *harness.Lab, disc string, lba int64) int64 {
	l.Helper()
	f, err := os.Open(disc)
	if err != nil {
		l.Fatal(err)
	}
	defer f.Close()
	var b [4]byte
	if _, err := f.ReadAt(b[:], lba*blockSize+156+2); err != nil {
		l.Fatal(err)
	}
	return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 | int64(b[3])<<24
}

// garble makes a block of a disc file one that nobody understands.
func garble(l *harness.Lab, disc string, lba int64) {
	l.Helper()
	f, err := os.OpenFile(disc, os.O_RDWR, 0)
	if err != nil {
		l.Fatal(err)
	}
	_, err = f.WriteAt([]byte(strings.Repeat("garbage!", blockSize/8)), lba*blockSize)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		l.Fatal(err)
	}
}
