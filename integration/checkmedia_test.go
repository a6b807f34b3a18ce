package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
)

// TestPlainCheckMedia has xorriso check a disc without being told how: it goes through
// the sessions as it finds them, and has to notice a byte that is wrong in any of them.
func TestPlainCheckMedia(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-re")
	for i := range 3 {
		m := d.Mount()
		for _, name := range []string{fmt.Sprintf("f%d", i), strings.Repeat(fmt.Sprint(i), 240)} {
			if err := os.WriteFile(filepath.Join(m.Point, name), harness.Noise(harness.Rand(t), 50_000+i), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m.Burn()
	}
	check := func() harness.Result {
		return harness.Try(t, "xorriso", "-return_with", "WARNING", "32", "-md5", "on", "-indev", "stdio:"+d.Path,
			"-toc", "-check_media", "--", "-check_md5_r", "FAILURE", "/", "--")
	}
	list := d.Sessions()
	r := check()
	if r.Code != 0 {
		t.Errorf("a sound disc: %v", r)
	}
	for _, s := range list {
		// A row of -toc, and one of -check_media.
		for _, want := range []string{
			fmt.Sprintf("ISO session  : %3d , %9d , %9ds", s.Number, s.Start, s.Blocks),
			fmt.Sprintf("MD5 tag range: %10d ,", s.Start),
		} {
			if !strings.Contains(r.Stdout+r.Stderr, want) {
				t.Errorf("xorriso does not find session %d (%q): %v", s.Number, want, r)
			}
		}
	}
	f, err := os.OpenFile(d.Path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flip := func(at int64) {
		var b [1]byte
		_, err := f.ReadAt(b[:], at)
		b[0] ^= 1
		if err == nil {
			_, err = f.WriteAt(b[:], at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range list {
		places := []struct {
			block  int64
			reason string
		}{
			{40, "a file"},
			{3, "the system area"},
			{16, "the primary descriptor"},
			{20, "its copy for Linux"},
			{26, "a directory"},
		}
		if s.Number != 2 {
			places = places[:1]
		}
		for _, place := range places {
			at := (int64(s.Start)+place.block)*2048 + 100
			flip(at)
			if r := check(); r.Code == 0 {
				t.Errorf("xorriso does not notice a wrong byte in %s of session %d: %v", place.reason, s.Number, r)
			}
			flip(at)
		}
	}
}

// TestCheckMediaBehindXorriso: behind a session of xorriso's in a file, which it has
// padded, ours begin where it looks for them.
func TestCheckMediaBehindXorriso(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc(harness.PlainISO)
	src := l.Path("src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	judge.XorrisoGrow(l, d.Path, src, "by xorriso")
	for _, name := range []string{"a", "b"} {
		m := d.Mount()
		if err := os.WriteFile(m.Path(name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		m.Burn()
	}
	r := harness.Try(t, "xorriso", "-md5", "on", "-indev", "stdio:"+d.Path, "-check_media", "--")
	if n := strings.Count(r.Stdout+r.Stderr, "md5_match"); r.Code != 0 || n != 3 {
		t.Errorf("xorriso checks %d sessions of 3: %v", n, r)
	}
}
