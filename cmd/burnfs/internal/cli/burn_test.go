package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// allMedia are the media that take sessions.
func allMedia() []emu.Media {
	var all []emu.Media
	for _, name := range emu.MediaNames() {
		if m := emu.Media(name); m.TakesSessions() {
			all = append(all, m)
		}
	}
	return all
}

func overwritable(m emu.Media) bool {
	return m == emu.DVDPlusRW || m == emu.DVDRWOverwrite || m == emu.DVDRAM || m == emu.BDRE
}

// listing is the tree that bsdtar finds in the image: it reads the session that
// block 16 of its input shows, so a later session is cut out first, the blocks
// before it left as a hole.
func listing(t *testing.T, disc string, start uint32) string {
	t.Helper()
	if start > 0 {
		moved := filepath.Join(t.TempDir(), "moved.iso")
		in, err := os.ReadFile(disc)
		if err != nil {
			t.Fatal(err)
		}
		copy(in[16*2048:32*2048], in[(int(start)+16)*2048:(int(start)+32)*2048])
		if err := os.WriteFile(moved, in, 0o644); err != nil {
			t.Fatal(err)
		}
		disc = moved
	}
	return run(t, "bsdtar", "-tf", disc)
}

type sessionList []struct {
	Number   int
	Start    uint32
	Blocks   uint32
	VolumeID string `json:"volume_id"`
	Content  string
}

func sessions(t *testing.T, disc string) (list sessionList) {
	t.Helper()
	r := ok(t, "sessions", "--json", disc)
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	return list
}

// Three sessions by image and burn on every medium, each judged by bsdtar and
// by burnfs verify.
func TestBurnSessions(t *testing.T) {
	for _, media := range allMedia() {
		t.Run(media.String(), func(t *testing.T) {
			l := newLab(t)
			size := "100MB" // a CD loses 35 MB to the gaps of two more sessions
			ok(t, "create", "--media", media.String(), "--size", size, l.disc)
			if r := call(t, nil, "msinfo", l.disc); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "blank") || r.out != "" {
				t.Errorf("msinfo of a blank disc: %v", r)
			}
			if r := ok(t, "sessions", l.disc); !strings.Contains(r.out, "is blank") {
				t.Errorf("sessions of a blank disc: %v", r)
			}
			if list := sessions(t, l.disc); list == nil || len(list) != 0 {
				t.Errorf("sessions --json of a blank disc: %v", list)
			}
			image := filepath.Join(l.dir, "image.iso")
			for n := 1; n <= 3; n++ {
				src := filepath.Join(l.dir, fmt.Sprint("src", n))
				write(t, filepath.Join(src, fmt.Sprint("file", n)), strings.Repeat(fmt.Sprint(n), 5000))
				write(t, filepath.Join(src, "changed"), fmt.Sprint("version ", n))
				args := []string{"image", "-R", "-J", "-V", fmt.Sprint("VOL", n), "-o", image, src}
				if n == 1 && overwritable(media) {
					// Sessions of overwritable media begin at block 32, so that
					// all of them can be listed later.
					args = append([]string{"image", "-C", "0,32"}, args[1:]...)
				}
				if n > 1 {
					params := strings.TrimSpace(ok(t, "msinfo", l.disc).out)
					args = append([]string{"image", "-C", params, "-M", l.disc}, args[1:]...)
				}
				ok(t, args...)
				if n == 2 { // through a pipe
					b, err := os.ReadFile(image)
					if err != nil {
						t.Fatal(err)
					}
					if r := call(t, bytes.NewReader(b), "burn", "-q", l.disc, "-"); r.code != 0 || !strings.Contains(r.out, "Session 2 is burned and verified") {
						t.Fatal(r)
					}
				} else if r := ok(t, "burn", "--multi", l.disc, image); !strings.Contains(r.out, fmt.Sprintf("Session %d is burned and verified", n)) {
					t.Fatal(r)
				}
				list := sessions(t, l.disc)
				if len(list) != n || list[n-1].VolumeID != fmt.Sprint("VOL", n) || list[n-1].Content != "iso9660" {
					t.Fatalf("after session %d: %+v", n, list)
				}
				got := listing(t, l.disc, list[n-1].Start)
				for i := 1; i <= n; i++ {
					if !strings.Contains(got, fmt.Sprint("file", i)) {
						t.Errorf("session %d lacks file%d:\n%s", n, i, got)
					}
				}
			}
			r := ok(t, "verify", l.disc)
			if !strings.HasPrefix(r.out, "3 sessions, 9 files") || !strings.Contains(r.out, " MD5: 9 match, 0 not recorded; SHA-256: 9 match, 0 not recorded.") {
				t.Errorf("verify: %v", r)
			}
			// The same image again belongs to another place.
			before := sessions(t, l.disc)
			if r := call(t, nil, "burn", l.disc, image); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "made for block") || !strings.Contains(r.err, "-C ") {
				t.Errorf("an image for another place: %v", r)
			}
			if after := sessions(t, l.disc); len(after) != len(before) {
				t.Errorf("a refused image was burned: %+v", after)
			}
		})
	}
}

func TestBurnClose(t *testing.T) {
	for _, media := range []emu.Media{emu.CDR, emu.DVDPlusR, emu.BDR} {
		l := newLab(t)
		l.create(t, media)
		image := filepath.Join(l.dir, "image.iso")
		write(t, filepath.Join(l.dir, "src", "a"), "text")
		ok(t, "image", "-R", "-o", image, filepath.Join(l.dir, "src"))
		ok(t, "burn", "--close", l.disc, image)
		if r := call(t, nil, "burn", l.disc, image); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "Nothing was written") {
			t.Errorf("%s: burning a closed disc: %v", media, r)
		}
		if r := call(t, nil, "msinfo", l.disc); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "cannot take another session") {
			t.Errorf("%s: msinfo of a closed disc: %v", media, r)
		}
		ok(t, "verify", l.disc)
	}
}

func TestBurnTooLarge(t *testing.T) {
	l := newLab(t)
	ok(t, "create", "--media", "bd-r", "--size", "4MB", l.disc)
	image := filepath.Join(l.dir, "image.iso")
	write(t, filepath.Join(l.dir, "src", "big"), strings.Repeat("x", 5<<20))
	ok(t, "image", "-R", "-o", image, filepath.Join(l.dir, "src"))
	for _, in := range []string{image, "-"} {
		f, err := os.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		r := call(t, f, "burn", l.disc, in)
		f.Close()
		if r.code != int(exitcode.Full) || !strings.Contains(r.err, "Nothing was written") {
			t.Errorf("from %s: %v", in, r)
		}
	}
	if list := sessions(t, l.disc); len(list) != 0 {
		t.Errorf("something was burned: %+v", list)
	}
}

func TestBurnOddImages(t *testing.T) {
	l := newLab(t)
	*l.damaged = true
	l.create(t, emu.DVDPlusR)
	for _, tt := range []struct {
		content string
		code    exitcode.Code
		says    string
		reason  string
	}{
		{"", exitcode.Usage, "the image is empty", "an empty file"},
		{strings.Repeat("\x00", 16*2048) + "\x01CD001\x01" + strings.Repeat("\x00", 2041+3*2048), exitcode.Disc, "damaged or not complete", "a descriptor and nothing behind it"},
	} {
		image := filepath.Join(l.dir, "odd.iso")
		write(t, image, tt.content)
		if r := call(t, nil, "burn", l.disc, image); r.code != int(tt.code) || !strings.Contains(r.err, tt.says) {
			t.Errorf("%s: %v", tt.reason, r)
		}
	}
	if r := call(t, strings.NewReader(""), "burn", l.disc, "-"); r.code != int(exitcode.General) || !strings.Contains(r.err, "standard input holds no image") {
		t.Errorf("nothing on standard input: %v", r)
	}
	// Something that is no ISO 9660 image is written as it is, filled up to a block.
	raw := filepath.Join(l.dir, "raw")
	write(t, raw, strings.Repeat("no file system ", 10000))
	if r := ok(t, "burn", l.disc, raw); !strings.Contains(r.out, "from block 0") {
		t.Error(r)
	}
	if got := read(t, l.disc); !strings.HasPrefix(got, read(t, raw)) {
		t.Error("the raw image is not at the beginning of the disc")
	}
	if list := sessions(t, l.disc); len(list) != 1 || list[0].Content != "unreadable" {
		t.Errorf("%+v", list)
	}
}

// A plain ISO file is an overwritable disc; one made by genisoimage at block 0
// is continued and stays readable.
func TestBurnOntoForeignISO(t *testing.T) {
	l := newLab(t)
	write(t, filepath.Join(l.dir, "old", "old-file"), "old")
	run(t, "genisoimage", "-quiet", "-R", "-J", "-V", "FOREIGN", "-o", l.disc, filepath.Join(l.dir, "old"))
	write(t, filepath.Join(l.dir, "new", "new-file"), "new")
	image := filepath.Join(l.dir, "image.iso")
	ok(t, "image", "-M", l.disc, "-R", "-J", "-o", image, filepath.Join(l.dir, "new"))
	if r := ok(t, "burn", l.disc, image); !strings.Contains(r.err, "the older one cannot be chosen any more") {
		t.Errorf("nothing is said of the session that cannot be chosen any more: %v", r)
	}
	if list := sessions(t, l.disc); len(list) != 1 {
		t.Errorf("what was said of older sessions is not so: %+v", list)
	}
	got := run(t, "bsdtar", "-tf", l.disc)
	if !strings.Contains(got, "old-file") || !strings.Contains(got, "new-file") {
		t.Errorf("bsdtar sees:\n%s", got)
	}
	if id := run(t, "isoinfo", "-d", "-i", l.disc); !strings.Contains(id, "Volume id: FOREIGN") {
		t.Errorf("the volume id was not kept:\n%s", id)
	}
	if got := run(t, "bsdtar", "-xOf", l.disc, "old-file"); got != "old" {
		t.Errorf("old-file holds %q", got)
	}
	ok(t, "verify", l.disc)
}

// The data session of a CD Extra: audio first, then -C without -M.
func TestBurnCDExtra(t *testing.T) {
	l := newLab(t)
	ok(t, "create", "--media", "cd-r", "--audio-first-session", l.disc)
	list := sessions(t, l.disc)
	if len(list) != 1 || list[0].Content != "audio" {
		t.Fatalf("%+v", list)
	}
	params := strings.TrimSpace(ok(t, "msinfo", l.disc).out)
	write(t, filepath.Join(l.dir, "src", "a"), "text")
	image := filepath.Join(l.dir, "image.iso")
	ok(t, "image", "-C", params, "-R", "-J", "-o", image, filepath.Join(l.dir, "src"))
	ok(t, "burn", l.disc, image)
	list = sessions(t, l.disc)
	if len(list) != 2 || list[1].Content != "iso9660" || !strings.HasSuffix(params, fmt.Sprintf(",%d", list[1].Start)) {
		t.Errorf("-C %s: %+v", params, list)
	}
	if r := ok(t, "verify", l.disc); !strings.HasPrefix(r.out, "1 session, 1 file,") {
		t.Errorf("verify: %v", r)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	l := newLab(t)
	*l.damaged = true
	l.create(t, emu.BDR)
	src := filepath.Join(l.dir, "src")
	write(t, filepath.Join(src, "good"), strings.Repeat("good", 3000))
	write(t, filepath.Join(src, "bad"), strings.Repeat("evil", 3000))
	image := filepath.Join(l.dir, "image.iso")
	ok(t, "image", "-R", "-o", image, src)
	ok(t, "burn", l.disc, image)
	content := read(t, l.disc)
	at := strings.Index(content, "evilevil")
	f, err := os.OpenFile(l.disc, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("EVIL"), int64(at)+5000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r := call(t, nil, "verify", l.disc)
	if r.code != int(exitcode.Verify) || !strings.Contains(r.out, "bad") || strings.Contains(r.out, "good") {
		t.Errorf("a flipped byte: %v", r)
	}
	r = call(t, nil, "verify", "--json", l.disc)
	var res struct {
		Findings int
		List     []struct{ Path string }
	}
	if err := json.Unmarshal([]byte(r.out), &res); err != nil || res.Findings != 2 || len(res.List) != 2 {
		t.Errorf("%v: %v", err, r)
	}
}
