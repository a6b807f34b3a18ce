package cli

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

var update = flag.Bool("update", false, "write the expected output anew")

// media matches lists of what the emulated drive handles: how much that is, is not
// the subject here.
var media = regexp.MustCompile(`(?s)("(?:writes|handles)": \[).*?(\])|(?m)(^Writes: ).*?($)`)

// What programs read from `info --json`, and what people read, for discs in every
// state.
func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		media emu.Media
		args  []string // of create
		do    func(t *testing.T, l lab)
	}{
		{"blank-dvd+r", emu.DVDPlusR, nil, nil},
		{"unformatted-bd-re", emu.BDRE, []string{"--unformatted"}, nil},
		{"session-cd-r", emu.CDR, nil, func(t *testing.T, l lab) { ok(t, "burn", "-q", l.disc, l.iso(t, "f", "text")) }},
		{"session-dvd-ram", emu.DVDRAM, nil, func(t *testing.T, l lab) { ok(t, "burn", "-q", l.disc, l.iso(t, "f", "text")) }},
		{"sessions-bd-r", emu.BDR, nil, func(t *testing.T, l lab) {
			ok(t, "burn", "-q", l.disc, l.iso(t, "f", "text"))
			ok(t, "burn", "-q", l.disc, l.iso(t, "g", "more"))
		}},
		{"bootable-dvd+rw", emu.DVDPlusRW, nil, func(t *testing.T, l lab) {
			in(t, l.dir, `mkdir boot && head -c 4096 /dev/zero >boot/image && genisoimage -quiet -R -b image -no-emul-boot -c catalog -o boot.iso boot
				printf '\027' | dd of=boot.iso bs=1 seek=450 conv=notrunc status=none
				printf '\125\252' | dd of=boot.iso bs=1 seek=510 conv=notrunc status=none`)
			ok(t, "burn", "-q", l.disc, filepath.Join(l.dir, "boot.iso"))
		}},
		{"closed-dvd+r", emu.DVDPlusR, nil, func(t *testing.T, l lab) { ok(t, "burn", "-q", "--close", l.disc, l.iso(t, "f", "text")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.create(t, tt.media, tt.args...)
			if tt.do != nil {
				tt.do(t, l)
			}
			for ext, args := range map[string][]string{".json": {"--json"}, ".txt": nil} {
				got := ok(t, append(append([]string{"info", "--statedir", l.state}, args...), l.disc)...).out
				got = media.ReplaceAllString(strings.ReplaceAll(got, l.disc, "/disc"), "$1$3…$2$4")
				golden := filepath.Join("testdata", "info", tt.name+ext)
				if *update {
					write(t, golden, got)
				}
				if want := read(t, golden); got != want {
					t.Errorf("%s:\n%s\nwant:\n%s", golden, got, want)
				}
			}
		})
	}
}

// Every medium that can be made is described, and no text has a hole.
func TestInfoOfEveryMedium(t *testing.T) {
	for _, name := range emu.MediaNames() {
		l := newLab(t)
		l.create(t, emu.Media(name))
		r := ok(t, "info", l.disc)
		if !strings.Contains(r.out, "Writes: ") || !strings.Contains(r.out, "State: ") || !strings.Contains(r.out, "Speeds: ") ||
			strings.Contains(r.out, "%!") || strings.Contains(r.out, ":  \n") {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func TestInfoOfWhatIsNoDisc(t *testing.T) {
	l := newLab(t)
	write(t, l.disc, strings.Repeat("no disc", 10_000))
	if r := ok(t, "info", l.disc); !strings.Contains(r.out, "rewritable") {
		t.Error(r)
	}
	if r := call(t, nil, "info", l.dir); r.code != int(exitcode.Disc) {
		t.Error(r)
	}
	if r := call(t, nil, "info", "/dev/null"); r.code != int(exitcode.Disc) {
		t.Error(r)
	}
	if err := os.WriteFile(l.disc, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := ok(t, "info", l.disc); !strings.Contains(r.out, "Sessions:   0") {
		t.Error(r)
	}
}

func TestDrives(t *testing.T) {
	if r := ok(t, "drives", "--json"); !strings.HasPrefix(r.out, "[") {
		t.Error(r)
	}
	if r := call(t, nil, "drives", "x"); r.code != int(exitcode.Usage) {
		t.Error(r)
	}
	ok(t, "drives")
}
