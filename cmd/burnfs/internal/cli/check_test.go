package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/iso9660"
	"burnfs/mmc/emu"
)

// patch changes bytes of a disc file.
func patch(t *testing.T, disc string, at int64, b ...byte) {
	t.Helper()
	f, err := os.OpenFile(disc, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func checkReport(t *testing.T, r result) (rep reportJSON) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.out), &rep); err != nil {
		t.Fatalf("%v: %v", err, r)
	}
	for _, f := range rep.Findings {
		if f.Session == 0 || f.Severity == 0 || f.Rule == 0 || f.Clause == "" || f.What == "" {
			t.Errorf("a finding lacks something: %+v", f)
		}
	}
	return rep
}

// twoSessions burns two images on a disc.
func twoSessions(t *testing.T, media emu.Media) lab {
	t.Helper()
	l := newLab(t)
	l.create(t, media)
	for i, name := range []string{"first", "second"} {
		src := filepath.Join(l.dir, name)
		for j := range 30 {
			write(t, filepath.Join(src, name, "file "+strings.Repeat("I", j)), strings.Repeat("text", 100*j))
		}
		image := filepath.Join(l.dir, name+".iso")
		args := []string{"image", "-R", "-J", "-o", image, src}
		if i > 0 {
			args = append(args, "-C", strings.TrimSpace(ok(t, "msinfo", l.disc).out), "-M", l.disc)
		}
		ok(t, args...)
		ok(t, "burn", "-q", l.disc, image)
	}
	return l
}

func TestCheck(t *testing.T) {
	for _, media := range []emu.Media{emu.CDR, emu.BDR, emu.BDRE} {
		t.Run(media.String(), func(t *testing.T) {
			l := twoSessions(t, media)
			for _, args := range [][]string{{"check", l.disc}, {"check", "--data", l.disc}} {
				r := ok(t, args...)
				if strings.Count(r.out, ": nothing is wrong\n") != 2 || !strings.Contains(r.out, "Nothing is wrong with the structures of "+l.disc) || r.err != "" {
					t.Errorf("%q: %v", args, r)
				}
			}
			rep := checkReport(t, ok(t, "check", "--json", l.disc))
			for i, s := range rep.Sessions {
				// An image for a blank overwritable disc begins at block 0, and
				// its descriptors give way to those of the next one.
				later := i == 1 || media == emu.BDRE
				if s.Newest != later || s.Head != (i == 1 && media == emu.BDRE) || len(s.Rules) != 0 {
					t.Errorf("session %+v", s)
				}
			}
			if len(rep.Sessions) != 2 || rep.Errors+rep.Warnings != 0 || len(rep.Findings) != 0 || rep.Disc != l.disc {
				t.Errorf("%+v", rep)
			}
		})
	}
}

func TestCheckFindsDamage(t *testing.T) {
	l := twoSessions(t, emu.BDR)
	*l.damaged = true
	list := sessions(t, l.disc)
	content := []byte(read(t, l.disc))

	// The number of links of each file of the first session, in both halves of
	// its PX: a finding for each.
	tree := content[:int64(list[1].Start)*iso9660.BlockSize]
	broken := 0
	for at := 0; ; {
		i := bytes.Index(tree[at:], []byte("PX\x2c\x01\xa4\x81\x00\x00"))
		if i < 0 {
			break
		}
		at += i + 12
		patch(t, l.disc, int64(at), 7)
		broken++
	}
	if broken < 30 {
		t.Fatalf("%d files", broken)
	}
	r := call(t, nil, "check", l.disc)
	if r.code != int(exitcode.Faulty) || strings.Count(r.out, "(file-attributes, RRIP 4.1.1)") != 10 ||
		!strings.Contains(r.out, "  and 20 of file-attributes") || !strings.Contains(r.out, "--limit 0") ||
		!strings.Contains(r.out, "Session 2, ") || !strings.Contains(r.err, "The newest session has no error") {
		t.Errorf("damage in the first session: %v", r)
	}
	r = call(t, nil, "check", "--limit", "0", l.disc)
	if strings.Count(r.out, "(file-attributes, RRIP 4.1.1)") != broken || strings.Contains(r.out, "--limit") {
		t.Errorf("without a limit: %v", r)
	}
	if strings.Contains(r.err, "--limit") || !strings.Contains(r.err, "not named are not concerned") {
		t.Errorf("all is named: %v", r)
	}
	if r := ok(t, "check", "--session", "2", l.disc); !strings.Contains(r.out, "Nothing is wrong with the structures of session 2 of ") {
		t.Errorf("one session: %v", r)
	}
	r = call(t, nil, "check", "--session", "1", l.disc)
	if !strings.Contains(r.err, ": session 1 of ") || !strings.Contains(r.err, "--limit 0 names the rest") ||
		strings.Contains(r.err, "not named are not concerned") || strings.Contains(r.err, "newest session has no error") {
		t.Errorf("not all is named, and nothing is known of the newest session: %v", r)
	}
	r = call(t, nil, "check", "--json", "--limit", "3", "--session", "1", l.disc)
	rep := checkReport(t, r)
	if r.code != int(exitcode.Faulty) || len(rep.Sessions) != 1 || rep.Errors < int64(broken) || rep.Sessions[0].Errors != rep.Errors ||
		rep.Sessions[0].Rules["file-attributes"] != int64(broken) || len(rep.Findings) > 9 {
		t.Errorf("JSON: %v", r)
	}

	// The path table of the second.
	lba := iso9660.LSB32(content[(int64(list[1].Start)+16)*iso9660.BlockSize+140:])
	patch(t, l.disc, int64(lba)*iso9660.BlockSize, 0)
	r = call(t, nil, "check", l.disc)
	if r.code != int(exitcode.Faulty) || !strings.Contains(r.out, "(path-table, ECMA-119 9.4)") || strings.Contains(r.err, "The newest session has no error") {
		t.Errorf("damage in the second session: %v", r)
	}
	if r := call(t, nil, "check", "--session", "3", l.disc); r.code != int(exitcode.Usage) {
		t.Errorf("no such session: %v", r)
	}
	// Nothing but zeros where the descriptors were.
	patch(t, l.disc, (int64(list[1].Start)+16)*iso9660.BlockSize, make([]byte, 4*iso9660.BlockSize)...)
	r = call(t, nil, "check", l.disc)
	if r.code != int(exitcode.Faulty) || !strings.Contains(r.out, "Session 2, ") || !strings.Contains(r.out, "(session, ECMA-119 6.7.1)") {
		t.Errorf("no descriptors in the second session: %v", r)
	}
	r = call(t, nil, "check", "--session", "2", l.disc)
	if r.code != int(exitcode.Faulty) || strings.Contains(r.err, "no ISO 9660 session") {
		t.Errorf("that session alone: %v", r)
	}
}

func TestCheckReadsData(t *testing.T) {
	l := twoSessions(t, emu.BDRE)
	*l.damaged = true
	at := strings.Index(read(t, l.disc), "texttexttext")
	patch(t, l.disc, int64(at), 'T')
	ok(t, "check", l.disc)
	r := call(t, nil, "check", "--data", l.disc)
	if r.code != int(exitcode.Faulty) || !strings.Contains(r.out, "file-checksum") || !strings.Contains(r.out, `"/first/file`) {
		t.Errorf("a flipped byte of a file: %v", r)
	}
}

func TestCheckOthers(t *testing.T) {
	l := newLab(t)
	src := filepath.Join(l.dir, "src")
	write(t, filepath.Join(src, "dir", "file"), "text")
	xorriso, plain, text := filepath.Join(l.dir, "x.iso"), filepath.Join(l.dir, "g.iso"), filepath.Join(l.dir, "text")
	run(t, "xorriso", "-as", "mkisofs", "--md5", "-R", "-J", "-o", xorriso, src)
	run(t, "genisoimage", "-quiet", "-R", "-J", "-o", plain, src)
	write(t, text, strings.Repeat("no disc ", 100_000))
	blank, audio := filepath.Join(l.dir, "blank"), filepath.Join(l.dir, "audio")
	ok(t, "create", "--media", "dvd+rw", blank)
	ok(t, "create", "--media", "cd-r", "--audio-first-session", audio)
	for _, tt := range []struct {
		disc   string
		code   exitcode.Code
		out    []string
		reason string
	}{
		{plain, exitcode.OK, []string{"Session 1, blocks 0 to ", ": nothing is wrong", "Nothing is wrong with"}, "as genisoimage writes"},
		{xorriso, exitcode.OK, []string{"0 errors, 1 warning", "(directory-parent, ", "deviates from the standards in 1 place"}, "as xorriso writes"},
		{text, exitcode.Disc, []string{"(session, "}, "no file system at all"},
		{blank, exitcode.OK, []string{"is blank"}, "nothing there"},
		{audio, exitcode.Disc, []string{"audio, not checked"}, "no files"},
	} {
		r := call(t, nil, "check", tt.disc)
		if r.code != int(tt.code) {
			t.Errorf("%s: %v", tt.reason, r)
		}
		for _, want := range tt.out {
			if !strings.Contains(r.out, want) {
				t.Errorf("%s: no %q: %v", tt.reason, want, r)
			}
		}
		if rep := checkReport(t, call(t, nil, "check", "--json", tt.disc)); rep.Disc != tt.disc || rep.Media == "" {
			t.Errorf("%s: %+v", tt.reason, rep)
		}
	}

	// An image that others wrote and burnfs went on with: what was at block 16
	// was saved.
	for _, disc := range []string{plain, xorriso} {
		l := l
		l.disc = disc
		spawnOK(t, l.mountArgs()...)
		if err := os.WriteFile(filepath.Join(l.mnt, "new"), []byte("new"), 0o644); err != nil {
			t.Fatal(err)
		}
		// Burnfs has the disc until it is unmounted.
		if r := call(t, nil, "check", disc); r.code != int(exitcode.InUse) {
			t.Errorf("mounted: %v", r)
		}
		spawnOK(t, "umount", "-q", l.mnt)
		rep := checkReport(t, ok(t, "check", "--json", "--data", disc))
		starts := []uint32{}
		for _, s := range rep.Sessions {
			starts = append(starts, s.Start)
			if s.Errors > 0 || s.Burnfs && s.Warnings > 0 {
				t.Errorf("%s: %+v", disc, s)
			}
		}
		if len(starts) != 3 || starts[2] != 0 || !slices.IsSorted(starts[:2]) || starts[0] == 0 {
			t.Errorf("%s: sessions at %d", disc, starts)
		}
	}
}
