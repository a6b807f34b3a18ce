package volume_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/volume"
)

// fixtureSource reads testdata/source.txt, which find wrote about the files of the
// fixtures.
func fixtureSource(t *testing.T) map[string]volume.Entry {
	t.Helper()
	f, err := os.Open("testdata/source.txt")
	must(t, err)
	defer f.Close()
	types := map[string]uint32{
		"d": volume.ModeDirectory, "f": volume.ModeRegular, "l": volume.ModeSymlink,
		"p": volume.ModeFIFO, "c": volume.ModeCharacter, "b": volume.ModeBlock,
	}
	files := make(map[string]volume.Entry)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, target, _ := strings.Cut(lines.Text(), "\t")
		fields := strings.SplitN(line, " ", 8)
		var e volume.Entry
		var seconds float64
		_, err := fmt.Sscan(strings.Join(fields[2:7], " "), &e.UID, &e.GID, &e.Nlink, &e.Size, &seconds)
		must(t, err)
		_, err = fmt.Sscanf(fields[1], "%o", &e.Mode)
		must(t, err)
		e.Mode |= types[fields[0]]
		e.Mtime = time.Unix(int64(seconds), 0).UTC()
		e.Target = target
		e.Name = fields[7]
		files[fields[7]] = e
	}
	// find does not tell device numbers.
	for name, number := range map[string][2]uint32{"null": {1, 3}, "disk": {8, 17}, "wide": {300, 70000}} {
		e := files[name]
		e.RdevMajor, e.RdevMinor = number[0], number[1]
		files[name] = e
	}
	if len(files) < 20 {
		t.Fatalf("source.txt has %d files", len(files))
	}
	return files
}

func TestFixtures(t *testing.T) {
	source := fixtureSource(t)
	for _, tt := range []struct {
		name    string
		reason  string
		serials bool
		attrs   bool
		without string
	}{
		{name: "genisoimage-rr", reason: "Rock Ridge 1.09, relocated directories"},
		{name: "xorriso-110", reason: "Rock Ridge 1.10"},
		{name: "xorriso-112", reason: "Rock Ridge 1.12 with AAIP", serials: true, attrs: true},
		{name: "bsdtar", reason: "libarchive", without: "deep1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := imageOf(stored(t, tt.name))
			v := mustOpen(t, r, 0, volume.Options{})
			if v.Tree() != volume.RockRidge {
				t.Fatalf("tree = %v", v.Tree())
			}
			got := walk(t, v)
			delete(got, ".")
			for name, w := range source {
				if tt.without != "" && strings.HasPrefix(name, tt.without) {
					continue
				}
				g, ok := got[name]
				delete(got, name)
				if !ok {
					t.Errorf("%s is missing", name)
					continue
				}
				if g.Mode != w.Mode || g.UID != w.UID || g.GID != w.GID {
					t.Errorf("%s: mode %o of %d:%d, want %o of %d:%d", name, g.Mode, g.UID, g.GID, w.Mode, w.UID, w.GID)
				}
				if !g.Mtime.Equal(w.Mtime) {
					t.Errorf("%s: mtime %v, want %v", name, g.Mtime, w.Mtime)
				}
				if g.Target != w.Target || g.RdevMajor != w.RdevMajor || g.RdevMinor != w.RdevMinor {
					t.Errorf("%s: target %q, device %d:%d; want %q, %d:%d",
						name, g.Target, g.RdevMajor, g.RdevMinor, w.Target, w.RdevMajor, w.RdevMinor)
				}
				if g.IsRegular() && (g.Size != w.Size || int64(len(content(t, r, g))) != w.Size) {
					t.Errorf("%s: size %d, want %d", name, g.Size, w.Size)
				}
			}
			if len(got) > 0 {
				t.Errorf("too many: %q", slices.Sorted(maps.Keys(got)))
			}
			all := walk(t, v)
			if tt.serials && (!all["hello.txt"].HasSerial || all["hello.txt"].Serial != all["dir/hardlink"].Serial || all["hello.txt"].Nlink != 2) {
				t.Errorf("hard links: %+v, %+v", all["hello.txt"], all["dir/hardlink"])
			}
			if got := all["hello.txt"].Xattrs; tt.attrs && (len(got) != 1 || got[0].Name != "user.note" || string(got[0].Value) != "text") {
				t.Errorf("attributes of hello.txt: %v", got)
			}
			if got := all["dir/inside"].Xattrs; tt.attrs && (len(got) != 1 || got[0].Name != aaip.NameACLAccess || len(got[0].Value) != 4+5*8) {
				t.Errorf("attributes of dir/inside: %v", got)
			}
		})
	}
}

// TestSessions opens each session of discs with two of them.
func TestSessions(t *testing.T) {
	first := map[string]string{"kept": "kept", "replaced": "old", "dropped": "gone"}
	merged := map[string]string{"kept": "kept", "replaced": "new!", "dropped": "gone", "added": "added"}
	removed := map[string]string{"kept": "kept", "replaced": "new!", "added": "added"}
	for _, tt := range []struct {
		name  string
		start uint32
		want  map[string]string
	}{
		{"genisoimage-sessions", 0, first},
		{"genisoimage-sessions", 300, merged},
		{"xorriso-sessions", 0, removed}, // the copy of the newest descriptors
		{"xorriso-sessions", 32, first},
		{"xorriso-sessions", 64, removed},
	} {
		t.Run(fmt.Sprintf("%s at %d", tt.name, tt.start), func(t *testing.T) {
			r := imageOf(stored(t, tt.name))
			v := mustOpen(t, r, tt.start, volume.Options{})
			if v.Start() != tt.start {
				t.Errorf("start = %d", v.Start())
			}
			got := make(map[string]string)
			for name, e := range walk(t, v) {
				if e.IsRegular() {
					got[name] = string(content(t, r, e))
				}
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSections reads the trees of a disc with a file of 5 GiB and 7 bytes.
func TestSections(t *testing.T) {
	const size = 5<<30 + 7
	for _, tt := range []struct {
		name string
		opt  volume.Options
	}{
		{name: "xorriso-sections"},
		{name: "xorriso-sections", opt: volume.Options{NoRockRidge: true}},
		{name: "xorriso-sections", opt: volume.Options{NoRockRidge: true, NoJoliet: true}},
	} {
		v := mustOpen(t, imageOf(stored(t, tt.name)), 0, tt.opt)
		entries := walk(t, v)
		var e volume.Entry
		for name := range entries {
			if strings.HasPrefix(name, "five") {
				e = entries[name]
			}
		}
		if e.Size != size || len(e.Sections) < 2 {
			t.Errorf("%s, %v: size %d in %v", tt.name, v.Tree(), e.Size, e.Sections)
			continue
		}
		total := int64(0)
		for i, s := range e.Sections {
			if total%iso9660.BlockSize != 0 {
				t.Errorf("%s, %v: section %d begins at byte %d of the file", tt.name, v.Tree(), i, total)
			}
			if i > 0 && int64(s.LBA) != int64(e.Sections[0].LBA)+total/iso9660.BlockSize {
				t.Errorf("%s, %v: sections %v do not follow each other", tt.name, v.Tree(), e.Sections)
			}
			total += s.Size
		}
		if total != size {
			t.Errorf("%s, %v: sections %v have %d bytes", tt.name, v.Tree(), e.Sections, total)
		}
		if len(entries) != 3 {
			t.Errorf("%s, %v: %d entries, want the root and two files", tt.name, v.Tree(), len(entries))
		}
	}
}

// TestChainOfSessions lets genisoimage continue a disc four times, by turns with
// Joliet and without, and opens every session.
func TestChainOfSessions(t *testing.T) {
	dir := t.TempDir()
	disc := filepath.Join(dir, "disc.iso")
	want := make(map[string]string)
	type session struct {
		start uint32
		files map[string]string
	}
	var sessions []session
	for i := range 5 {
		source := filepath.Join(dir, fmt.Sprintf("source%d", i))
		must(t, os.Mkdir(source, 0o755))
		for name, data := range map[string]string{
			"changes": strings.Repeat(fmt.Sprint(i), 3000*(i+1)), fmt.Sprintf("only-in-%d", i): "o", strings.Repeat("n", 200): fmt.Sprint("long", i),
		} {
			path := filepath.Join(source, name)
			write(t, path, []byte(data), 0o644)
			// genisoimage takes a file of equal size and times for unchanged.
			when := time.Date(2020+i, 1, 1, 0, 0, 0, 0, time.UTC)
			must(t, os.Chtimes(path, when, when))
			want[name] = data
		}
		args := []string{"-quiet", "-R", "-no-pad"}
		if i%2 == 1 {
			args = append(args, "-J", "-joliet-long")
		}
		var start uint32
		if len(sessions) > 0 {
			info, err := os.Stat(disc)
			must(t, err)
			start = uint32(info.Size()/iso9660.BlockSize) + 31 // as after a gap
			args = append(args, "-C", fmt.Sprintf("%d,%d", sessions[i-1].start, start), "-M", disc)
		}
		image := filepath.Join(dir, fmt.Sprintf("image%d", i))
		run(t, "genisoimage", append(args, "-o", image, source)...)
		data, err := os.ReadFile(image)
		must(t, err)
		f, err := os.OpenFile(disc, os.O_CREATE|os.O_WRONLY, 0o644)
		must(t, err)
		_, err = f.WriteAt(data, int64(start)*iso9660.BlockSize)
		must(t, err)
		must(t, f.Close())
		sessions = append(sessions, session{start, maps.Clone(want)})
	}
	r := openImage(t, disc)
	for i, s := range sessions {
		got := make(map[string]string)
		for name, e := range walk(t, mustOpen(t, r, s.start, volume.Options{})) {
			if e.IsRegular() {
				got[name] = string(content(t, r, e))
			}
		}
		if !maps.Equal(got, s.files) {
			t.Errorf("session %d at %d has %q, want %q", i+1, s.start, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(s.files)))
		}
	}
}
