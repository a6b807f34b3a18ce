package readers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/iso9660/zisofs/zisofstest"
	"burnfs/mmc/medium"
	"burnfs/session/history"
)

// effects lists what is remarked of files of one kind: reader, effect, count.
func effects(s *survey) map[string]string {
	list := []history.Session{{Number: 1, Readable: true}}
	e := examiner{Disc: Disc{Info: &medium.Info{Kind: medium.Overwritable}, Sessions: list}, survey: s, newest: &list[0]}
	got := map[string]string{}
	for _, r := range []Reader{e.linux(), e.windows(), e.macOS(), e.xorriso()} {
		for _, m := range r.Remarks {
			if m.Effect != Note {
				got[r.Name] += fmt.Sprintf("%s %d;", m.Effect, m.Count)
			}
		}
	}
	return got
}

func TestSections(t *testing.T) {
	for _, row := range []struct {
		reason   string
		sections int
		size     int64
		want     map[string]string
	}{
		{"one section: everybody shows it", 1, maxSection, map[string]string{}},
		{"changed in its middle", 3, 1 << 20, map[string]string{"macOS (cd9660)": "lost 1;"}},
		{"too large for one section", 2, maxSection + 1, map[string]string{"macOS (cd9660)": "lost 1;"}},
		{"as many as Linux reads", 100, 1 << 30, map[string]string{"macOS (cd9660)": "lost 1;"}},
		{"one more than Linux reads", 101, 1 << 30, map[string]string{"Linux (isofs)": "lost 1;", "macOS (cd9660)": "lost 1;"}},
	} {
		s := &survey{joliet: &jolietSurvey{names: newNameSet()}}
		s.joliet.names.add("file")
		s.entry("file", &volume.Entry{Mode: volume.ModeRegular, Size: row.size, Sections: make([]iso9660.Section, row.sections)}, nil)
		if got := effects(s); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

// TestOfSections asks for the readers that cannot read files of several sections.
func TestOfSections(t *testing.T) {
	for _, row := range []struct {
		reason   string
		sections []uint32 // where they begin
		kind     medium.Kind
		want     string
	}{
		{"one section: nobody is worth a word", []uint32{100}, medium.Overwritable, ""},
		{"appended to", []uint32{100, 200}, medium.Overwritable, "FreeBSD (cd9660) 1; genisoimage -M 1; "},
		{"changed in its middle: libarchive does not go back", []uint32{100, 200, 110}, medium.Overwritable, "FreeBSD (cd9660) 1; bsdtar (libarchive) 1; genisoimage -M 1; "},
		{"a drive that names the sessions, of which libarchive sees the first", []uint32{100, 200, 110}, medium.Sequential, "FreeBSD (cd9660) 1; genisoimage -M 1; "},
	} {
		e := examiner{Disc: Disc{Info: &medium.Info{Kind: row.kind}, Sessions: []history.Session{{Number: 1, Readable: true}, {Number: 2, Readable: true, Start: 50}}}, survey: &survey{}}
		e.newest = &e.Sessions[1]
		var sections []iso9660.Section
		for _, lba := range row.sections {
			sections = append(sections, iso9660.Section{LBA: lba, Size: 4096})
		}
		e.survey.entry("file", &volume.Entry{Mode: volume.ModeRegular, Sections: sections, Size: 4096}, nil)
		got := ""
		for _, r := range e.ofSections() {
			if r.Session != 2 || len(r.Remarks) != 1 || r.Remarks[0].Effect != Lost {
				t.Errorf("%s: %+v", row.reason, r)
			}
			got += fmt.Sprintf("%s %d; ", r.Name, r.Remarks[0].Count)
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

func TestCompressed(t *testing.T) {
	_, one := zisofstest.Compress(t, make([]byte, 100_000), 1, 15)
	_, two := zisofstest.Compress(t, make([]byte, 100_000), 2, 15)
	for _, row := range []struct {
		reason string
		zf     zisofs.ZF
		want   map[string]string
	}{
		{"version 1", one, map[string]string{"Windows (CDFS)": "lost 1;", "macOS (cd9660)": "lost 1;"}},
		{"version 2", two, map[string]string{"Linux (isofs)": "lost 1;", "Windows (CDFS)": "lost 1;", "macOS (cd9660)": "lost 1;"}},
	} {
		s := &survey{joliet: &jolietSurvey{names: newNameSet()}}
		s.joliet.names.add("file")
		// What is large is the file, not what is recorded.
		s.entry("file", &volume.Entry{Mode: volume.ModeRegular, Size: 1 << 33, Sections: make([]iso9660.Section, 1), ZF: &row.zf, Compressed: true}, nil)
		if got := effects(s); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

func TestManyDirectories(t *testing.T) {
	for dirs, want := range map[int64]string{65534: "", 65535: "lost 1;", 70000: "lost 4466;"} {
		s := &survey{joliet: &jolietSurvey{names: newNameSet(), dirs: dirs}}
		if got := effects(s)["Windows (CDFS)"]; got != want {
			t.Errorf("%d directories and the root: %q, want %q", dirs, got, want)
		}
	}
}

func TestRefusedByWindows(t *testing.T) {
	for name, row := range map[string]struct {
		want   bool
		reason string
	}{
		"nul":       {true, "a device"},
		"Com1.txt":  {true, "a device with an extension, in any case"},
		"aux .x":    {true, "blanks before the extension do not matter"},
		"com10":     {false, "there are nine"},
		"console":   {false, "a name that begins so"},
		"file.":     {true, "a period at the end"},
		"file ":     {true, "a blank at the end"},
		".profile":  {false, "a period in front"},
		"file.conx": {false, "an extension is no device"},
	} {
		if got := refusedByWindows(name); got != row.want {
			t.Errorf("%q: %v: %s", name, got, row.reason)
		}
	}
}

// TestBrokenLastSession is about a last session that the drive names and nobody can
// read.
func TestBrokenLastSession(t *testing.T) {
	list := []history.Session{{Number: 1, Readable: true}, {Number: 2, Readable: true, Start: 1000}, {Number: 3, Problem: "no descriptors"}}
	e := examiner{Disc: Disc{Name: "/dev/sr0", Info: &medium.Info{Kind: medium.Sequential}, Sessions: list}, survey: &survey{}, newest: &list[1]}
	for _, row := range []struct {
		reader  Reader
		session int
		command string
		reason  string
	}{
		{e.linux(), 0, "mount -t iso9660 -o ro,sbsector=1000 /dev/sr0 /mnt", "isofs looks nowhere else"},
		{e.windows(), 1, "", "it looks at block 16 as well"},
		{e.macOS(), 0, "mount_cd9660 -s 1000 /dev/diskN /mnt", "likewise"},
		{e.xorriso(), 0, "xorriso -load sbsector 1000 -indev /dev/sr0 -find / --", "likewise"},
	} {
		if r := row.reader; r.Session != row.session || r.Command != row.command || len(r.Remarks) != 1 || r.Remarks[0].Effect != Lost {
			t.Errorf("%s: %+v: %s", r.Name, r, row.reason)
		}
	}
}

// TestBrokenHead is about overwritable media, where all readers look at block 16 only.
func TestBrokenHead(t *testing.T) {
	list := []history.Session{{Number: 1, Readable: true, Start: 32}, {Number: 2, Problem: "no root", Start: 128}}
	info := &medium.Info{Kind: medium.Overwritable}
	for _, row := range []struct {
		reason string
		e      examiner
		says   string
	}{
		{"block 16 shows a session whose directories are broken",
			examiner{Disc: Disc{Name: "/dev/sr0", Info: info, Sessions: list}, survey: &survey{}, newest: &list[0]}, "session 2, which block 16 shows"},
		{"block 16 shows nothing",
			examiner{Disc: Disc{Name: "/dev/sr0", Info: info, Sessions: list[:1]}, survey: &survey{}, newest: &list[0], blind: "no descriptors"}, "no descriptors"},
	} {
		for _, r := range []Reader{row.e.linux(), row.e.windows(), row.e.macOS(), row.e.xorriso()} {
			if r.Session != 0 || len(r.Remarks) != 1 || r.Remarks[0].Effect != Lost || !strings.Contains(r.Remarks[0].What, row.says) {
				t.Errorf("%s: %s: %+v", r.Name, row.reason, r)
			}
		}
	}
}

// zeros is a medium without descriptors.
type zeros struct{ err error }

func (z zeros) ReadBlocks(_ context.Context, _ uint32, p []byte) error {
	clear(p)
	return z.err
}

func TestHeadless(t *testing.T) {
	gone := errors.New("gone")
	for _, row := range []struct {
		reason string
		kind   medium.Kind
		start  uint32
		disc   zeros
		blind  bool
		err    error
	}{
		{"block 16 holds nothing", medium.Overwritable, 32, zeros{}, true, nil},
		{"it was read already", medium.Overwritable, 0, zeros{}, false, nil},
		{"the drive names the sessions", medium.Sequential, 32, zeros{}, false, nil},
		{"a drive that does not answer says nothing", medium.Overwritable, 32, zeros{gone}, false, gone},
	} {
		list := []history.Session{{Number: 1, Readable: true, Start: row.start}}
		e := examiner{Disc: Disc{Info: &medium.Info{Kind: row.kind}, Sessions: list, Reader: row.disc}, newest: &list[0]}
		if got, err := e.headless(t.Context()); (got != "") != row.blind || !errors.Is(err, row.err) {
			t.Errorf("%s: %q, %v", row.reason, got, err)
		}
	}
}
