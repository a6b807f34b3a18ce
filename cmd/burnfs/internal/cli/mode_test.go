package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// Every way to write a medium gives sessions that are read back, and what a medium
// cannot do is refused before anything is written.
func TestBurnModes(t *testing.T) {
	for _, tt := range []struct {
		media emu.Media
		flags []string
		code  exitcode.Code
		says  string
	}{
		{emu.CDR, []string{"--mode", "tao"}, exitcode.OK, ""},
		{emu.CDR, []string{"--mode", "sao"}, exitcode.OK, ""},
		{emu.CDR, []string{"--mode", "SAO", "--xa"}, exitcode.OK, ""},
		{emu.CDRW, []string{"--xa"}, exitcode.OK, ""},
		{emu.DVDPlusR, []string{"--mode", "default"}, exitcode.OK, ""},
		{emu.DVDPlusR, []string{"--mode", "tao"}, exitcode.Disc, "cannot be written in the mode tao"},
		{emu.CDR, []string{"--mode", "incremental"}, exitcode.Disc, "use tao or sao"},
		{emu.CDR, []string{"--mode", "raw"}, exitcode.Usage, "no way to write a disc"},
		{emu.CDR, []string{"--mode", "dao"}, exitcode.Usage, "Add --close"},
		{emu.CDR, []string{"--mode", "dao", "--close"}, exitcode.Disc, "cannot be written in the mode dao"},
	} {
		t.Run(tt.media.String()+strings.Join(tt.flags, ""), func(t *testing.T) {
			l := newLab(t)
			l.create(t, tt.media)
			for n, name := range []string{"f", "g"} {
				r := call(t, nil, append(append([]string{"burn", "-q"}, tt.flags...), l.disc, l.iso(t, name, "text"))...)
				if r.code != int(tt.code) || !strings.Contains(r.err, tt.says) {
					t.Fatalf("session %d: want exit status %d saying %q: %v", n+1, tt.code, tt.says, r)
				}
				if tt.code != exitcode.OK {
					if m := l.info(t).Medium; m.Sessions != 0 || m.Interrupted != nil {
						t.Errorf("a refused burn left something: %+v", m)
					}
					return
				}
			}
			ok(t, "verify", "-q", l.disc)
		})
	}
}

func TestBurnAtOnceFromAPipe(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.CDR)
	image, err := os.Open(l.iso(t, "f", "text"))
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if r := call(t, image, "burn", "-q", "--mode", "sao", l.disc, "-"); r.code != int(exitcode.Usage) || !strings.Contains(r.err, "Save the image to a file first") {
		t.Error(r)
	}
}

func TestMountModes(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.CDR)
	for n, options := range []string{"mode=sao,xa", "mode=tao", "mode=sao"} {
		spawnOK(t, l.mountArgs(options)...)
		pid := status(t, l.mnt).PID
		write(t, filepath.Join(l.mnt, options), "text")
		spawnOK(t, "umount", "-q", l.mnt)
		ended(t, pid)
		if list := sessions(t, l.disc); len(list) != n+1 {
			t.Fatalf("%s: %d sessions", options, len(list))
		}
	}
	ok(t, "verify", "-q", l.disc)
}

// A speed that is not offered is replaced by the next lower one, and that is said.
func TestSpeeds(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDPlusR)
	image := l.iso(t, "f", "text")
	for _, tt := range []struct{ speed, says string }{
		{"4x", ""},
		{"6x", "the next lower speed, 4x (5540 kB/s)"},
		{"0.5x", "its slowest, 1x (1385 kB/s)"},
	} {
		r := ok(t, "burn", "-q", "--speed", tt.speed, l.disc, image)
		if tt.says == "" && r.err != "" || !strings.Contains(r.err, tt.says) {
			t.Errorf("burn at %s: %v", tt.speed, r)
		}
		image = l.iso(t, "f"+tt.speed, "text")
	}
	for flag, args := range map[string][]string{"--speed": {"mount", "--speed", "6x", "-o", "statedir=" + l.state, l.disc, l.mnt}, "-o speed=": l.mountArgs("speed=6x")} {
		r := spawnOK(t, args...)
		pid := status(t, l.mnt).PID
		spawnOK(t, "umount", "-q", l.mnt)
		ended(t, pid)
		if !strings.Contains(r.err, "the next lower speed, 4x (5540 kB/s)") {
			t.Errorf("mount %s: %v", flag, r)
		}
	}
}
