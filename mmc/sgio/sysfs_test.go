package sgio

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// tree makes up a /sys and a /proc: names that end in / are directories, values
// that begin with -> are links.
func tree(t testing.TB, files map[string]string) system {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case name[len(name)-1] == '/':
			err = os.MkdirAll(p, 0o755)
		case len(content) > 2 && content[:2] == "->":
			err = os.Symlink(content[2:], p)
		default:
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return system{root: root}
}

func writeFile(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

// machine is a computer with a SATA burner, a USB burner, a disk, and a drive for
// which there is no sr.
func machine(t testing.TB) system {
	return tree(t, map[string]string{
		"sys/class/block/sda":           "->../../devices/0/block/sda",
		"sys/class/block/sr10":          "->../../devices/2/block/sr10",
		"sys/class/block/sr0":           "->../../devices/1/block/sr0",
		"sys/class/block/srx":           "->../../devices/1/block/sr0",
		"sys/class/scsi_generic/sg0":    "->../../devices/0/scsi_generic/sg0",
		"sys/class/scsi_generic/sg1":    "->../../devices/1/scsi_generic/sg1",
		"sys/class/scsi_generic/sg2":    "->../../devices/2/scsi_generic/sg2",
		"sys/class/scsi_generic/sg11":   "->../../devices/3/scsi_generic/sg11",
		"sys/dev/block/8:0":             "->../../devices/0/block/sda",
		"sys/dev/block/8:1":             "->../../devices/0/block/sda/sda1",
		"sys/dev/block/11:0":            "->../../devices/1/block/sr0",
		"sys/dev/block/7:0":             "->../../devices/virtual/block/loop0",
		"sys/dev/char/21:1":             "->../../devices/1/scsi_generic/sg1",
		"sys/dev/char/21:0":             "->../../devices/0/scsi_generic/sg0",
		"sys/dev/char/1:3":              "->../../devices/virtual/mem/null",
		"sys/devices/virtual/mem/null/": "", "sys/devices/virtual/block/loop0/": "",
		"sys/devices/0/type": "0\n", "sys/devices/0/block/sda/device": "->../..", "sys/devices/0/block/sda/sda1/": "",
		"sys/devices/0/scsi_generic/sg0/device": "->../..",
		"sys/devices/1/type":                    "5\n", "sys/devices/1/vendor": "HL-DT-ST\n", "sys/devices/1/model": "BD-RE  BH16NS55 \n", "sys/devices/1/rev": "1.04\n",
		"sys/devices/1/state": "running\n", "sys/devices/1/block/sr0/device": "->../..", "sys/devices/1/scsi_generic/sg1/device": "->../..",
		"sys/devices/1/block/sr0/queue/max_sectors_kb": "1280\n", "sys/devices/1/block/sr0/queue/max_hw_sectors_kb": "32767\n",
		"sys/devices/1/block/sr0/diskseq": "4\n",
		"sys/devices/2/type":              "5\n", "sys/devices/2/vendor": "ASUS\x1b[1m\n", "sys/devices/2/block/sr10/device": "->../..", "sys/devices/2/scsi_generic/sg2/device": "->../..",
		"sys/devices/2/block/sr10/queue/max_sectors_kb": "60\n", "sys/devices/2/block/sr10/queue/max_hw_sectors_kb": "120\n",
		"sys/devices/3/type": "5\n", "sys/devices/3/vendor": "PIONEER\n", "sys/devices/3/scsi_generic/sg11/device": "->../..",
	})
}

func TestList(t *testing.T) {
	got, err := machine(t).list()
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{"/dev/sr0", "/dev/sg1", "HL-DT-ST", "BD-RE  BH16NS55", "1.04"},
		{"/dev/sr10", "/dev/sg2", "ASUS [1m", "", ""},
		{"", "/dev/sg11", "PIONEER", "", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if got[0].Path() != "/dev/sr0" || got[2].Path() != "/dev/sg11" {
		t.Errorf("paths %s, %s", got[0].Path(), got[2].Path())
	}
	if got, err := (system{root: t.TempDir()}).list(); err != nil || len(got) != 0 {
		t.Errorf("a computer without drives: %v, %v", got, err)
	}
}

// TestCandidates: drives of another kind are left alone.
func TestCandidates(t *testing.T) {
	s := machine(t)
	tr := newTransport(s, Options{Log: slog.New(slog.DiscardHandler)})
	tr.node, _ = s.lookup(true, 11, 0)
	f := tr.Finder("/dev/cdrom", Options{})
	if got := f.Candidates(); !slices.Equal(got, []string{"/dev/cdrom", "/dev/sr0"}) {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"vendor", "model"} {
		b, err := os.ReadFile(s.path("sys/devices/1", name))
		if err == nil {
			err = os.WriteFile(s.path("sys/devices/2", name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := f.Candidates(); !slices.Equal(got, []string{"/dev/cdrom", "/dev/sr0", "/dev/sr10"}) {
		t.Errorf("%v", got)
	}
	if _, err := f.Open(s.path("nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	s := machine(t)
	for _, c := range []struct {
		block        bool
		major, minor uint32
		known        bool
		name, kind   string
		limit        int
		reason       string
	}{
		{true, 11, 0, true, "sr0", "", 1280 << 10, "a drive"},
		{false, 21, 1, true, "sg1", "", 0, "its generic node"},
		{true, 8, 0, true, "sda", "a disk", 0, "a disk"},
		{false, 21, 0, true, "sg0", "a disk", 0, "the generic node of a disk"},
		{true, 8, 1, true, "sda1", "a disk or a part of one", 0, "a partition"},
		{true, 7, 0, true, "loop0", "a loop device", 0, "a file"},
		{false, 1, 3, true, "null", "a device of another kind", 0, "/dev/null"},
		{true, 99, 9, false, "", "", 0, "a number without a device"},
	} {
		n, known := s.lookup(c.block, c.major, c.minor)
		if known != c.known || n.name != c.name {
			t.Errorf("%s: %+v, %v", c.reason, n, known)
			continue
		}
		if !known {
			continue
		}
		if got := s.kind(n); got != c.kind {
			t.Errorf("%s: it is %q, want %q", c.reason, got, c.kind)
		}
		if got := s.transferLimit(n); got != c.limit {
			t.Errorf("%s: %d bytes at once, want %d", c.reason, got, c.limit)
		}
	}
	if got := s.sibling("sys/dev/char", "21:1", "block"); got != "sr0" {
		t.Errorf("the block node of sg1 is %q", got)
	}
}

func TestOffline(t *testing.T) {
	s := machine(t)
	n, _ := s.lookup(true, 11, 0)
	state := s.path("sys/devices/1/state")
	for _, c := range []struct {
		state string
		want  bool
	}{{"running\n", false}, {"blocked\n", false}, {"quiesce\n", false}, {"offline\n", true}, {"transport-offline\n", true}, {"cancel\n", true}, {"deleted\n", true}} {
		if err := os.WriteFile(state, []byte(c.state), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := s.offline(n); got != c.want {
			t.Errorf("%q: offline %v", c.state, got)
		}
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if s.offline(n) {
		t.Error("a driver without states is taken for one without a device")
	}
	if err := os.RemoveAll(s.path("sys/devices/1")); err != nil {
		t.Fatal(err)
	}
	if !s.offline(n) {
		t.Error("the device is gone and counts as present")
	}
	if s.offline(node{}) {
		t.Error("without sysfs nothing is known")
	}
}

func TestHolders(t *testing.T) {
	s := tree(t, map[string]string{
		"proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" +
			"30 22 11:0 / /media/My\\040Disc ro,nosuid shared:9 - iso9660 /dev/sr0 ro\n" +
			"31 22 0:44 / /mnt rw - fuse.burnfs /dev/sr0 rw\n" +
			"32 22 0:45 / /mnt2 rw - fuse.burnfs /dev/sr1 rw\n",
		"proc/100/comm": "wodim\n", "proc/100/fd/0": "->/dev/null", "proc/100/fd/3": "->/dev/sg1",
		"proc/101/comm": "bash\n", "proc/101/fd/0": "->/dev/pts/0",
		"proc/102/comm": "exe\n", "proc/102/exe": "->/usr/bin/k3b (deleted)", "proc/102/fd/9": "->/dev/sr0",
		"proc/meminfo": "x",
	})
	got := s.holders(11, 0, []string{"/dev/sr0", "/dev/sg1"})
	want := []Holder{
		{Mount: "/media/My Disc", Type: "iso9660"}, {Mount: "/mnt", Type: "fuse.burnfs"},
		{PID: 100, Command: "wodim"}, {PID: 102, Command: "k3b"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	text := (&BusyError{Path: "/dev/sr0", Holders: got}).Error()
	if want := "/dev/sr0 is in use: it is mounted on /media/My Disc (iso9660); it is mounted on /mnt (fuse.burnfs); process 100 (wodim) has it open; process 102 (k3b) has it open"; text != want {
		t.Errorf("%s\nwant %s", text, want)
	}
	if got := (system{root: t.TempDir()}).holders(11, 0, []string{"/dev/sr0"}); len(got) != 0 {
		t.Errorf("without /proc: %v", got)
	}
}

// FuzzMounts: mountinfo holds what anybody mounts under any name.
func FuzzMounts(f *testing.F) {
	f.Add("30 22 11:0 / /media/My\\040Disc ro,nosuid shared:9 - iso9660 /dev/sr0 ro\n")
	f.Add("30 22 11 / / ro - iso9660\n")
	f.Add("1 2 3:4 / /\\777 rw - fuse.burnfs /dev/sr0 rw\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := tree(t, map[string]string{"proc/self/mountinfo": text})
		if got := s.mounts(11, 0, []string{"/dev/sr0"}); len(got) > maxHolders {
			t.Errorf("%d holders", len(got))
		}
	})
}

// FuzzAttribute: what a drive calls itself ends up on terminals.
func FuzzAttribute(f *testing.F) {
	f.Add("HL-DT-ST\n")
	f.Add("\x1b[2J\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		s := tree(t, map[string]string{"sys/vendor": text})
		for _, r := range s.attribute("sys/vendor") {
			if r < ' ' || r > '~' {
				t.Fatalf("%q is printed", r)
			}
		}
	})
}
