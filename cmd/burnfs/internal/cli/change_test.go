package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"burnfs/cmd/burnfs/internal/discinfo"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// info is what `burnfs info --json` says.
func (l lab) info(t *testing.T) discinfo.Info {
	t.Helper()
	var i discinfo.Info
	if err := json.Unmarshal([]byte(ok(t, "info", "--json", "--statedir", l.state, l.disc).out), &i); err != nil {
		t.Fatal(err)
	}
	if i.Medium == nil {
		t.Fatal("there is no medium")
	}
	return i
}

// iso makes an image of a tree with one file of text, for the place where the next
// session of the disc starts.
func (l lab) iso(t *testing.T, name, content string) string {
	t.Helper()
	src, image := filepath.Join(l.dir, name+".d"), filepath.Join(l.dir, name+".iso")
	write(t, filepath.Join(src, name), content)
	args := []string{"image", "-R", "-o", image}
	if l.info(t).Medium.Sessions > 0 {
		args = append(args, "-C", strings.TrimSpace(ok(t, "msinfo", l.disc).out), "-M", l.disc)
	}
	ok(t, append(args, src)...)
	return image
}

// A disc with a session is erased by blank or format, once somebody said yes.
func TestErase(t *testing.T) {
	for _, tt := range []struct {
		media   emu.Media
		command []string
		state   string
	}{
		{emu.CDRW, []string{"blank"}, discinfo.Blank},
		{emu.CDRW, []string{"blank", "--full"}, discinfo.Blank},
		{emu.DVDRW, []string{"blank", "--full"}, discinfo.Blank},
		{emu.DVDRW, []string{"format"}, discinfo.Rewritable},
		{emu.DVDPlusRW, []string{"format"}, discinfo.Rewritable},
		{emu.DVDRAM, []string{"format", "--type", "default"}, discinfo.Rewritable},
		{emu.BDRE, []string{"format"}, discinfo.Rewritable},
	} {
		t.Run(tt.media.String()+strings.Join(tt.command, ""), func(t *testing.T) {
			l := newLab(t)
			l.create(t, tt.media)
			ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
			with := func(flags ...string) []string {
				return append(append(append([]string{}, tt.command...), flags...), l.disc)
			}
			before := read(t, l.disc)
			for _, r := range []struct {
				result
				code exitcode.Code
				says string
			}{
				{call(t, nil, with()...), exitcode.Usage, "Add --yes"},
				{call(t, strings.NewReader("yes\n"), with()...), exitcode.Usage, "nobody can be asked"},
				{asked(t, "y", with()...), exitcode.General, "not confirmed"},
				{asked(t, "", with()...), exitcode.General, "not confirmed"},
				{asked(t, "no yes", with()...), exitcode.General, "Nothing was changed"},
			} {
				if r.result.code != int(r.code) || !strings.Contains(r.err, r.says) {
					t.Errorf("want exit status %d saying %q: %v", r.code, r.says, r.result)
				}
			}
			if read(t, l.disc) != before || l.info(t).Medium.Sessions != 1 {
				t.Fatal("the disc was changed although nobody said yes")
			}
			r := asked(t, "yes", with()...)
			if r.code != 0 || !strings.Contains(r.err, "with 1 session; the newest,") || !strings.Contains(r.err, "100%") {
				t.Error(r)
			}
			if m := l.info(t).Medium; m.Sessions != 0 || m.State != tt.state || !m.Writable {
				t.Errorf("afterwards: %+v", m)
			}
			ok(t, "burn", "-q", l.disc, l.iso(t, "new", "the new text"))
			if r := ok(t, with("--yes", "-q")...); r.err != "" {
				t.Errorf("a quiet one said: %v", r)
			}
			if m := l.info(t).Medium; m.Sessions != 0 {
				t.Errorf("after --yes: %+v", m)
			}
		})
	}
}

// What cannot be done is refused with the reason, before anybody is asked.
func TestChangesRefused(t *testing.T) {
	for _, tt := range []struct {
		media   emu.Media
		burn    bool // a session first
		command []string
		says    string
		reason  string
	}{
		{emu.CDR, true, []string{"blank"}, "can be written only once", "write-once"},
		{emu.BDR, true, []string{"blank"}, "can be written only once", "write-once"},
		{emu.BDRE, true, []string{"blank"}, "overwritten as it is", "there is nothing to blank"},
		{emu.DVDPlusR, false, []string{"format"}, "never formatted", "write-once"},
		{emu.BDR, true, []string{"format"}, "only before its first session", "too late"},
		{emu.CDRW, true, []string{"format"}, "blank it", "packet formats are not written"},
		{emu.DVDPlusRW, true, []string{"finalize"}, "nothing to finalize", "never closed"},
		{emu.DVDPlusR, false, []string{"finalize"}, "blank", "nothing on it"},
		{emu.CDR, true, []string{"finalize"}, "one more session", "its lead-ins are written"},
		{emu.DVDPlusRW, true, []string{"format", "--type", "no-spare"}, `offers no format "no-spare"`, "the BD-RE's name"},
	} {
		l := newLab(t)
		l.create(t, tt.media)
		if tt.burn {
			ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
		}
		before := read(t, l.disc)
		r := call(t, nil, append(append([]string{}, tt.command...), l.disc)...)
		want := exitcode.Disc
		if strings.Contains(tt.says, "offers no") {
			want = exitcode.Usage
		}
		if r.code != int(want) || !strings.Contains(r.err, tt.says) || !strings.Contains(r.err, "Nothing was changed.") {
			t.Errorf("%s %q (%s): want exit status %d saying %q: %v", tt.media, tt.command, tt.reason, want, tt.says, r)
		}
		if read(t, l.disc) != before {
			t.Errorf("%s %q changed the disc", tt.media, tt.command)
		}
	}
}

// Who blanks a DVD-RW the quick way is told what that costs.
func TestQuickBlankOfADVDRW(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDRW)
	ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
	if r := asked(t, "no", "blank", l.disc); !strings.Contains(r.err, "--full blanks it for several sessions") {
		t.Error(r)
	}
	if r := ok(t, "blank", "-q", "--yes", l.disc); !strings.Contains(r.err, "--full") || !strings.Contains(r.out, "single session") {
		t.Error(r)
	}
	if m := l.info(t).Medium; m.OneSession == "" || m.FitsBytes != 0 {
		t.Errorf("info: %+v", m)
	}
	r := spawnOK(t, l.mountArgs()...)
	pid := status(t, l.mnt).PID
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, pid)
	if !strings.Contains(r.err, "mounted read only") || !strings.Contains(r.err, "Blank the disc in full") {
		t.Errorf("mount: %v", r)
	}
	if r := ok(t, "blank", "-q", "--full", "--yes", l.disc); r.err != "" || strings.Contains(r.out, "single session") {
		t.Error(r)
	}
}

// An image file is not emptied by a command for discs.
func TestPlainFileIsNotFormatted(t *testing.T) {
	l := newLab(t)
	write(t, filepath.Join(l.dir, "src", "f"), "text")
	ok(t, "image", "-o", l.disc, filepath.Join(l.dir, "src"))
	before := read(t, l.disc)
	for _, args := range [][]string{{"format", "--yes"}, {"format", "--list"}, {"blank", "--yes"}, {"finalize", "--yes"}} {
		if r := call(t, nil, append(args, l.disc)...); r.code != int(exitcode.Disc) {
			t.Errorf("%q: %v", args, r)
		}
	}
	if read(t, l.disc) != before {
		t.Error("the image was changed")
	}
	if r := ok(t, "info", l.disc); !strings.Contains(r.out, "such as an ISO image") {
		t.Error(r)
	}
}

// A mounted disc is left alone, whatever --yes says, and what is staged for one is
// told.
func TestChangesOfADiscInUse(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.CDRW)
	ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
	spawnOK(t, l.mountArgs()...)
	pid := status(t, l.mnt).PID
	write(t, filepath.Join(l.mnt, "new"), "never burned")
	run(t, "sync", filepath.Join(l.mnt, "new"))
	for _, args := range [][]string{{"blank", "--yes"}, {"finalize", "--yes"}, {"close", "--yes"}, {"format", "--yes"}, {"eject", "--load"}} {
		r := call(t, nil, append(args, l.disc)...)
		if r.code != int(exitcode.InUse) || !strings.Contains(r.err, "is mounted on "+l.mnt) || !strings.Contains(r.err, "Nothing was changed.") {
			t.Errorf("%q: %v", args, r)
		}
	}
	if r := call(t, nil, "info", l.disc); r.code != int(exitcode.InUse) || !strings.Contains(r.err, "burnfs status "+l.mnt) {
		t.Errorf("info: %v", r)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, pid)
	spawn(t, "burnfs", "umount", l.mnt) // takes the dead mount away
	i := l.info(t)
	if len(i.Medium.Staged) != 1 || !i.Medium.Staged[0].Changes || !strings.Contains(i.Medium.Advice, "Mount the disc") {
		t.Errorf("info does not tell of staged changes: %+v", i.Medium)
	}
	r := asked(t, "no", "blank", "--statedir", l.state, l.disc)
	if !strings.Contains(r.err, "Changes that were never burned wait for this disc in "+l.state) {
		t.Error(r)
	}
	r = ok(t, "blank", "-q", "--yes", "--statedir", l.state, l.disc)
	if !strings.Contains(r.err, "Changes that were never burned wait for this disc in "+l.state) {
		t.Errorf("--yes does not keep the warning away: %v", r)
	}
}

// A burn that was killed is closed, what became of it is told, and the disc takes
// sessions again.
func TestCloseAfterAKilledBurn(t *testing.T) {
	for _, media := range []emu.Media{emu.CDR, emu.CDRW, emu.DVDR, emu.DVDRW, emu.DVDPlusR, emu.DVDPlusRDL, emu.BDR} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
			t.Run(media.String()+" "+sig.String(), func(t *testing.T) {
				l := newLab(t)
				l.create(t, media)
				ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
				breakBurn(t, l, l.iso(t, "big", strings.Repeat("0123456789abcdef", 1<<18)), sig)
				i := l.info(t)
				if sig == syscall.SIGKILL && !media.Profile().IsCD() {
					// The emulated drive died with the process, and what was in its buffer
					// with it: on these media nothing is left of the burn.
					if i.Medium.State != discinfo.Appendable {
						t.Errorf("after the drive was killed: %+v", i.Medium)
					}
					return
				}
				if i.Medium.State != discinfo.Interrupted || i.Medium.Interrupted == nil || i.Medium.Writable || i.Medium.Advice == "" {
					t.Fatalf("info after the interruption: %+v", i.Medium)
				}
				if r := asked(t, "no", "close", l.disc); r.code != int(exitcode.General) || !strings.Contains(r.err, "will be closed as it is") {
					t.Error(r)
				}
				r := ok(t, "close", "-q", "--yes", l.disc)
				if !strings.Contains(r.out, "Earlier sessions are untouched") || !strings.Contains(r.out, "can be written again") {
					t.Error(r)
				}
				if r := ok(t, "close", "--yes", l.disc); !strings.Contains(r.out, "no interrupted burn") {
					t.Errorf("closing what is closed: %v", r)
				}
				if m := l.info(t).Medium; m.State != discinfo.Appendable || !m.Writable || m.Interrupted != nil {
					t.Errorf("afterwards: %+v", m)
				}
				// A mount goes on from the newest session that can be read.
				spawnOK(t, l.mountArgs()...)
				pid := status(t, l.mnt).PID
				if got := read(t, filepath.Join(l.mnt, "old")); got != "the old text" {
					t.Errorf("the old file holds %q", got)
				}
				write(t, filepath.Join(l.mnt, "new"), "the new text")
				spawnOK(t, "umount", "-q", l.mnt)
				ended(t, pid)
				spawnOK(t, l.mountArgs("ro")...)
				pid = status(t, l.mnt).PID
				for name, want := range map[string]string{"old": "the old text", "new": "the new text"} {
					if got := read(t, filepath.Join(l.mnt, name)); got != want {
						t.Errorf("%s holds %q", name, got)
					}
				}
				spawnOK(t, "umount", "-q", l.mnt)
				ended(t, pid)
			})
		}
	}
}

// A mount that was stopped while burning is best mounted again, and all commands say so.
func TestCloseWhereMountingIsBetter(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDPlusR)
	spawnOK(t, l.mountArgs("speed=1x")...)
	pid := status(t, l.mnt).PID
	content := strings.Repeat("0123456789abcdef", 1<<18)
	write(t, filepath.Join(l.mnt, "f"), content)
	cmd := process(t, "burnfs", "umount", l.mnt)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	buf := make([]byte, 256)
	for !strings.Contains(said.String(), "burning:  20%") {
		n, err := stderr.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		said.Write(buf[:n])
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} { // the second one stops the burn
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	ended(t, pid)
	if err := cmd.Wait(); err == nil {
		t.Error("umount says that all is well")
	}
	if i := l.info(t); i.Medium.State != discinfo.Interrupted || len(i.Medium.Staged) != 1 || !i.Medium.Staged[0].Unfinished ||
		!strings.Contains(i.Medium.Advice, "Mount the disc") {
		t.Errorf("info: %+v", i.Medium)
	}
	before := read(t, l.disc)
	if r := asked(t, "no", "close", "--statedir", l.state, l.disc); !strings.Contains(r.err, "mounting the disc completes the session") {
		t.Error(r)
	}
	if r := asked(t, "no", "finalize", "--statedir", l.state, l.disc); !strings.Contains(r.err, "cannot be continued") {
		t.Error(r)
	}
	if read(t, l.disc) != before {
		t.Fatal("somebody said no and the disc was changed")
	}
	spawnOK(t, l.mountArgs()...)
	pid = status(t, l.mnt).PID
	if read(t, filepath.Join(l.mnt, "f")) != content {
		t.Error("the file is not what was written")
	}
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, pid)
	if got := run(t, "bsdtar", "-xOf", l.disc, "f"); got != content {
		t.Error("the disc does not hold the file")
	}
}

func TestFinalize(t *testing.T) {
	for _, media := range []emu.Media{emu.DVDPlusR, emu.BDR} {
		l := newLab(t)
		l.create(t, media)
		ok(t, "burn", "-q", l.disc, l.iso(t, "old", "the old text"))
		if r := asked(t, "yes", "finalize", l.disc); r.code != 0 || !strings.Contains(r.out, "closed for good") {
			t.Errorf("%s: %v", media, r)
		}
		if m := l.info(t).Medium; m.State != discinfo.Closed || m.Writable || !strings.Contains(m.NotWritableReason, "finalized") {
			t.Errorf("%s: %+v", media, m)
		}
		if r := call(t, nil, "finalize", "--yes", l.disc); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "finalized already") {
			t.Errorf("%s, again: %v", media, r)
		}
		ok(t, "verify", "-q", l.disc)
	}
}

func TestEject(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	if r := ok(t, "eject", l.disc); !strings.Contains(r.out, "is ejected") {
		t.Error(r)
	}
	if r := ok(t, "eject", "--load", l.disc); !strings.Contains(r.out, "is loaded") {
		t.Error(r)
	}
	for _, by := range []string{l.mnt, l.disc} {
		spawnOK(t, l.mountArgs()...)
		pid := status(t, l.mnt).PID
		write(t, filepath.Join(l.mnt, filepath.Base(by)), "text")
		f, err := os.Open(filepath.Join(l.mnt, filepath.Base(by)))
		if err != nil {
			t.Fatal(err)
		}
		if r := spawn(t, "burnfs", "eject", "-q", by); r.code != int(exitcode.Busy) {
			t.Errorf("while a program uses it: %v", r)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if r := spawn(t, "burnfs", "eject", "-q", by); r.code != 0 || !strings.Contains(r.out, "burned and verified") || !strings.Contains(r.out, "is ejected") {
			t.Errorf("eject %s: %v", by, r)
		}
		ended(t, pid)
	}
	if list := sessions(t, l.disc); len(list) != 2 {
		t.Errorf("%d sessions", len(list))
	}
	if r := call(t, nil, "eject", l.mnt); r.code != int(exitcode.Disc) {
		t.Errorf("a directory where nothing is mounted: %v", r)
	}
}
