package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tree makes files of all kinds.
func tree(t *testing.T, dir string) {
	t.Helper()
	for i := range 30 {
		write(t, filepath.Join(dir, "many", fmt.Sprintf("a rather long file name, number %d.txt", i)), strings.Repeat("x", i*1000))
	}
	write(t, filepath.Join(dir, "ümläut"), "name")
	write(t, filepath.Join(dir, "deep", "er", "and", "deeper", "file"), "deep")
	write(t, filepath.Join(dir, "empty"), "")
	if err := os.Symlink("../some/where", filepath.Join(dir, "deep", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "ümläut"), filepath.Join(dir, "deep", "hard")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "empty"), 0o751); err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1600000000, 0)
	if err := os.Chtimes(filepath.Join(dir, "empty"), when, when); err != nil {
		t.Fatal(err)
	}
}

// names lists what xorriso finds, with type, permissions, size and time.
func names(t *testing.T, image string, start uint32) []string {
	t.Helper()
	args := []string{"-indev", "stdio:" + image}
	if start > 0 {
		args = append([]string{"-load", "sbsector", fmt.Sprint(start)}, args...)
	}
	args = append(args, "-find", "/", "-exec", "lsdl", "--")
	var list []string
	for line := range strings.Lines(runOut(t, "xorriso", args...)) {
		if strings.HasPrefix(line, "d") || strings.HasPrefix(line, "-") || strings.HasPrefix(line, "l") || strings.HasPrefix(line, "p") {
			f := strings.Fields(line)
			if strings.HasPrefix(line, "d") {
				f[1], f[4] = "", "" // counts and sizes of directories are the builder's own
			}
			list = append(list, strings.Join(f, " "))
		}
	}
	slices.Sort(list)
	return list
}

// The same arguments give the same tree as genisoimage's.
func TestImageLikeGenisoimage(t *testing.T) {
	dir := t.TempDir()
	src, extra := filepath.Join(dir, "src"), filepath.Join(dir, "extra")
	tree(t, src)
	write(t, filepath.Join(extra, "more"), "more")
	write(t, filepath.Join(extra, "a=b"), "equals")
	for name, target := range map[string]string{"to file": "src/empty", "nowhere": "no/where"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args   []string
		reason string
	}{
		{[]string{"-R", "-J", src}, "one directory"},
		{[]string{"-R", src, extra}, "two directories"},
		{[]string{"-R", "-graft-points", "in/side/=" + extra + "/more", "name=" + src + "/empty", "sub=" + src}, "graft points"},
		{[]string{"-R", "-graft-points", "x/y=" + extra, strings.ReplaceAll(extra+"/a=b", "=", `\=`)}, "an escaped equals sign"},
		{[]string{"-R", src + "/deep", filepath.Join(dir, "to file"), filepath.Join(dir, "nowhere")}, "links that are named themselves"},
		{[]string{"-r", src}, "rationalised"},
	} {
		ours, theirs := filepath.Join(dir, "ours.iso"), filepath.Join(dir, "theirs.iso")
		ok(t, append([]string{"image", "-q", "-o", ours}, tt.args...)...)
		run(t, "genisoimage", append([]string{"-quiet", "-o", theirs}, tt.args...)...)
		a, b := names(t, ours, 0), names(t, theirs, 0)
		// Directories that only exist because of a graft point have no
		// attributes to copy.
		if tt.reason == "graft points" || tt.reason == "an escaped equals sign" {
			a, b = lastFields(a), lastFields(b)
		}
		if !slices.Equal(a, b) || len(a) < 4 {
			t.Errorf("%s:\nours\n%s\ngenisoimage's\n%s", tt.reason, strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	}
}

func lastFields(lines []string) []string {
	var out []string
	for _, l := range lines {
		_, name, _ := strings.Cut(l, "'")
		out = append(out, "'"+name)
	}
	slices.Sort(out)
	return out
}

// -C with -M: the same tree as genisoimage's for the same old session, and old
// files at their old addresses.
func TestImageContinues(t *testing.T) {
	l := newLab(t)
	src, more := filepath.Join(l.dir, "src"), filepath.Join(l.dir, "more")
	tree(t, src)
	write(t, filepath.Join(more, "deep", "er", "new"), "new")
	write(t, filepath.Join(more, "empty"), "not any more")
	first := filepath.Join(l.dir, "first.iso")
	for name, make := range map[string]func(){
		"genisoimage": func() { run(t, "genisoimage", "-quiet", "-R", "-J", "-o", first, src) },
		"xorriso":     func() { run(t, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", first, src) },
		"burnfs":      func() { ok(t, "image", "-q", "-R", "-J", "-o", first, src) },
	} {
		t.Run(name, func(t *testing.T) {
			make()
			st, err := os.Stat(first)
			if err != nil {
				t.Fatal(err)
			}
			start := uint32((st.Size()/2048 + 31) / 32 * 32)
			params := fmt.Sprintf("0,%d", start)
			ours, theirs := filepath.Join(l.dir, "ours.iso"), filepath.Join(l.dir, "theirs.iso")
			ok(t, "image", "-q", "-C", params, "-M", first, "-R", "-J", "-o", ours, more)
			run(t, "genisoimage", "-quiet", "-C", params, "-M", first, "-R", "-J", "-o", theirs, more)
			var lists [2][]string
			for i, second := range []string{ours, theirs} {
				disc := filepath.Join(l.dir, "disc.iso")
				join(t, disc, first, int64(start)*2048, second)
				lists[i] = names(t, disc, start)
				for path, want := range map[string]string{"deep/er/and/deeper/file": "deep", "deep/er/new": "new", "empty": "not any more", "many/a rather long file name, number 7.txt": strings.Repeat("x", 7000)} {
					if got := extract(t, disc, start, path); got != want {
						t.Errorf("%s: %s holds %.40q, want %.40q", second, path, got, want)
					}
				}
			}
			if a, b := lastFields(lists[0]), lastFields(lists[1]); !slices.Equal(a, b) {
				t.Errorf("ours\n%s\ngenisoimage's\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		})
	}
}

// join puts two sessions on one disc.
func join(t *testing.T, disc, first string, at int64, second string) {
	t.Helper()
	b := []byte(read(t, first))
	b = append(b, make([]byte, at-int64(len(b)))...)
	b = append(b, read(t, second)...)
	if err := os.WriteFile(disc, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func extract(t *testing.T, disc string, start uint32, path string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	runOut(t, "xorriso", "-load", "sbsector", fmt.Sprint(start), "-osirrox", "on", "-indev", "stdio:"+disc, "-extract", "/"+path, out)
	return read(t, out)
}

func TestImageDetails(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	tree(t, src)
	out := filepath.Join(dir, "src", "out.iso") // inside of what it records
	ok(t, "image", "-q", "-R", "-V", "MY_VOLUME", "-o", out, src)
	if got := names(t, out, 0); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, ".iso") }) {
		t.Errorf("the image records itself:\n%s", strings.Join(got, "\n"))
	}
	if id := run(t, "isoinfo", "-d", "-i", out); !strings.Contains(id, "Volume id: MY_VOLUME") {
		t.Error(id)
	}
	first := read(t, out)
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}

	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	var images []string
	for range 2 {
		r := ok(t, "image", "-q", "-R", "-V", "MY_VOLUME", "-o", "-", src)
		images = append(images, r.out)
	}
	if images[0] != images[1] {
		t.Error("two images of the same files at the same time differ")
	}
	if len(images[0]) != len(first) || len(first)%2048 != 0 {
		t.Errorf("lengths: %d and %d", len(first), len(images[0]))
	}
	if r := ok(t, "image", "-q", "--no-pad", "-R", "-V", "MY_VOLUME", "-o", "-", src); len(images[0])-len(r.out) != 150*2048 {
		t.Errorf("padding: %d bytes", len(images[0])-len(r.out))
	}
	// Without Rock Ridge, what only Rock Ridge records is left out, and said.
	r := ok(t, "image", "-o", out, src)
	if !strings.Contains(r.err, "fifo") || !strings.Contains(r.err, "symbolic links") || !strings.Contains(r.err, "left out") {
		t.Errorf("no warning: %v", r)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if r := call(t, nil, "image", "-o", out, src); r.code != 2 {
		t.Errorf("a bad SOURCE_DATE_EPOCH: %v", r)
	}
}

// A file is replaced only by a complete image, and keeps its old content
// otherwise.
func TestImageIsAtomic(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.iso")
	write(t, out, "precious")
	src := filepath.Join(dir, "src")
	write(t, filepath.Join(src, "f"), "text")
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if r := call(t, nil, "image", "-o", out, src, filepath.Join(dir, "loop")); r.code == 0 {
		t.Error(r)
	}
	if got := read(t, out); got != "precious" {
		t.Errorf("a failed image replaced the file by %.20q", got)
	}
	ok(t, "image", "-o", out, src)
	if got := run(t, "bsdtar", "-tf", out); !strings.Contains(strings.ToLower(got), "f") {
		t.Error(got)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if st, err := os.Stat(out); err != nil || st.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("the image cannot be read by others: %v, %v", st.Mode(), err)
	}
	// Something that is not a regular file is written to, not replaced.
	if r := call(t, nil, "image", "-o", "/dev/null", src); r.code != 0 {
		t.Error(r)
	}
	if st, err := os.Stat("/dev/null"); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		t.Fatal("/dev/null was replaced")
	}
}

func TestImageIntoPipe(t *testing.T) {
	l := newLab(t)
	ok(t, "create", "--media", "dvd+r", "--size", "40MB", l.disc)
	src := filepath.Join(l.dir, "src")
	write(t, filepath.Join(src, "one"), "1")
	burn := func(args ...string) {
		t.Helper()
		r := ok(t, append([]string{"image", "-q", "-R", "-o", "-"}, args...)...)
		if r := call(t, bytes.NewReader([]byte(r.out)), "burn", "-q", l.disc, "-"); r.code != 0 {
			t.Fatal(r)
		}
	}
	burn(src)
	// Reading the old session and burning the new one, both at the same time.
	write(t, filepath.Join(src, "two"), "2")
	image := process(t, "burnfs", "image", "-q", "-M", l.disc, "-R", "-o", "-", src)
	second := process(t, "burnfs", "burn", "-q", l.disc, "-")
	pipe, err := image.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	second.Stdin = pipe
	var said, out bytes.Buffer
	image.Stderr = &said
	second.Stdout, second.Stderr = &out, &out
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	if err := image.Run(); err != nil {
		t.Errorf("%v: %s", err, said.String())
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if list := sessions(t, l.disc); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}
