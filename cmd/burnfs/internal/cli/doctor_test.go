package cli

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/session/readers"
)

// doctor is the report on a disc.
func doctor(t *testing.T, disc string) readers.Report {
	t.Helper()
	var report readers.Report
	if err := json.Unmarshal([]byte(ok(t, "doctor", "--json", disc).out), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// find is the reader whose name begins so.
func find(t *testing.T, r readers.Report, name string) readers.Reader {
	t.Helper()
	for _, reader := range r.Readers {
		if strings.HasPrefix(reader.Name, name) {
			return reader
		}
	}
	t.Fatalf("nothing is said of %s", name)
	return readers.Reader{}
}

// remark is the one that contains what.
func remark(t *testing.T, r readers.Reader, what string) readers.Remark {
	t.Helper()
	for _, m := range r.Remarks {
		if strings.Contains(m.What, what) {
			return m
		}
	}
	return readers.Remark{}
}

func in(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// TestDoctor records files that some readers cannot show, and expects that each of
// them is told of, with the number of names and the first of them.
func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	in(t, dir, `mkdir src && cd src && echo 1 >plain && echo 2 >PLAIN && ln plain hard && ln -s plain sym && mkfifo fifo
		echo 3 >'aux.txt' && echo 4 >'blank ' && echo 5 >'a:b' && mkdir d && echo 6 >"d/$(printf 'x%.0s' {1..200})"`)
	disc := filepath.Join(dir, "disc.iso")
	ok(t, "image", "-R", "-J", "-o", disc, filepath.Join(dir, "src"))
	r := doctor(t, disc)
	if r.Newest != 1 || r.Files != 7 || r.Dirs != 1 || len(r.Older) != 0 {
		t.Errorf("session %d, %d files, %d directories, %d older sessions", r.Newest, r.Files, r.Dirs, len(r.Older))
	}
	for _, row := range []struct {
		reason, reader, what string
		effect               readers.Effect
		count                int64
		example              string
	}{
		{"a second name of plain", "Linux", "further names", readers.Changed, 1, "plain"},
		{"a colon, and 200 letters", "Windows", "another name", readers.Changed, 2, "a:b"},
		{"a device's name, and a blank at the end", "Windows", "cannot open", readers.Lost, 2, "aux.txt"},
		{"plain and PLAIN", "Windows", "in case only", readers.Lost, 1, "plain"},
		{"", "Windows", "symbolic links", readers.Lost, 1, "sym"},
		{"", "Windows", "FIFOs", readers.Lost, 1, "fifo"},
	} {
		got := remark(t, find(t, r, row.reader), row.what)
		example := ""
		for _, e := range got.Examples {
			if e == row.example {
				example = e
			}
		}
		if got.Effect != row.effect || got.Count != row.count || example != row.example {
			t.Errorf("%s on %q (%s): %+v, want %s %d %s", row.reader, row.what, row.reason, got, row.effect, row.count, row.example)
		}
	}
	if out := ok(t, "doctor", disc).out; !strings.Contains(out, "symbolic links, which are not shown (1): sym\n") {
		t.Errorf("a single name is told of in words that do not fit: %s", out)
	}
	for name, tree := range map[string]string{"Linux": "Rock Ridge", "Windows": "Joliet", "macOS": "Rock Ridge", "xorriso": "Rock Ridge"} {
		if got := find(t, r, name); got.Tree != tree || got.Session != 1 {
			t.Errorf("%s shows %q of session %d, want %s of the only one", name, got.Tree, got.Session, tree)
		}
	}
}

// TestDoctorOfSessions asks for discs of several sessions, and lets xorriso follow
// the command that is said to show an older one.
func TestDoctorOfSessions(t *testing.T) {
	for _, row := range []struct {
		name, reason string
		readers      int // the four programs, and drives that do not see every session
		burn         func(t *testing.T, dir, disc string)
	}{
		{"bd-r", "the drive names the sessions", 6, func(t *testing.T, dir, disc string) {
			ok(t, "create", "--media", "bd-r", disc)
			ok(t, "image", "-R", "-o", filepath.Join(dir, "1"), filepath.Join(dir, "a"))
			ok(t, "burn", disc, filepath.Join(dir, "1"))
			next := strings.TrimSpace(ok(t, "msinfo", disc).out)
			ok(t, "image", "-R", "-C", next, "-M", disc, "-o", filepath.Join(dir, "2"), filepath.Join(dir, "b"))
			ok(t, "burn", disc, filepath.Join(dir, "2"))
		}},
		{"iso", "block 16 is of the newest, whichever drive", 4, func(t *testing.T, dir, disc string) {
			in(t, dir, "for d in a b; do xorriso -dev stdio:"+disc+" -map $d / -commit >log 2>&1 || { cat log; exit 1; }; done")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			disc := filepath.Join(dir, "disc.img")
			in(t, dir, `mkdir a b && echo 1 >a/one && echo 2 >b/two`)
			row.burn(t, dir, disc)
			r := doctor(t, disc)
			if len(r.Readers) != row.readers {
				t.Errorf("%d readers, want %d: %s", len(r.Readers), row.readers, row.reason)
			}
			if row.readers == 6 {
				if only := r.Readers[4]; only.Session != 1 || !strings.Contains(only.Command, "sbsector=") {
					t.Errorf("who reads the file itself sees session %d, command %q", only.Session, only.Command)
				}
			}
			if len(r.Older) != 1 || r.Older[0].Session != 1 {
				t.Fatalf("older sessions: %+v", r.Older)
			}
			for _, c := range r.Older[0].Commands {
				if c.System != "xorriso" {
					continue
				}
				out, err := exec.Command("bash", "-c", c.Line).Output()
				if err != nil || !strings.Contains(string(out), "/one") || strings.Contains(string(out), "/two") {
					t.Errorf("%s: %v\n%s", c.Line, err, out)
				}
			}
		})
	}
}

// TestDoctorOfPlainTrees is for discs that lack Joliet, Rock Ridge, or both.
func TestDoctorOfPlainTrees(t *testing.T) {
	dir := t.TempDir()
	in(t, dir, `mkdir src && echo 1 >src/file`)
	for _, row := range []struct{ options, reason, linux, windows string }{
		{"", "nothing else is there", "ISO 9660", "ISO 9660"},
		{"-R", "Windows does not know Rock Ridge", "Rock Ridge", "ISO 9660"},
		{"-J", "Joliet is better than nothing", "Joliet", "Joliet"},
	} {
		disc := filepath.Join(dir, "disc"+row.options)
		in(t, dir, "genisoimage -quiet "+row.options+" -o "+disc+" src")
		r := doctor(t, disc)
		if l, w := find(t, r, "Linux").Tree, find(t, r, "Windows").Tree; l != row.linux || w != row.windows {
			t.Errorf("genisoimage %s: Linux shows %s, Windows %s, want %s and %s: %s", row.options, l, w, row.linux, row.windows, row.reason)
		}
	}
	blank := filepath.Join(dir, "blank")
	ok(t, "create", "--media", "bd-r", blank)
	if r := ok(t, "doctor", blank); !strings.Contains(r.out, "no reader shows anything") {
		t.Error(r)
	}
}
