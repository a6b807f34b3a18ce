package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/volume"
	"burnfs/mmc/emu"
)

// blockFile reads blocks of a disc file, which may end inside of one.
type blockFile struct{ *os.File }

func (f blockFile) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	if n, err := f.ReadAt(p, int64(lba)*iso9660.BlockSize); n == 0 {
		return err
	}
	return nil
}

// regions are bytes of the last of two sessions, one for each thing that a checksum
// covers.
func regions(t *testing.T, disc string, start uint32) map[string]int64 {
	t.Helper()
	f, err := os.Open(disc)
	must(t, err)
	defer f.Close()
	v, err := volume.Open(t.Context(), blockFile{f}, start, volume.Options{})
	must(t, err)
	md5s, err := v.Checksums(t.Context())
	must(t, err)
	shas, err := v.SHA256s(t.Context())
	must(t, err)
	if md5s == nil || shas == nil {
		t.Fatal("no checksums are recorded")
	}
	at := func(lba uint32, offset int64) int64 { return int64(lba)*iso9660.BlockSize + offset }
	root, err := v.Primary().RootRecord()
	must(t, err)
	all := map[string]int64{
		"system area":            at(start, 700),
		"volume descriptor":      at(start+16, 900), // application use
		"tree":                   at(root.Location(), 20),
		"array of SHA-256s":      at(shas.Area().Array, 40),
		"padding of that":        at(shas.Area().Array, 2040),
		"array of MD5s":          at(md5s.Area().Array, 20),
		"padding of that of MD5": at(md5s.Area().Array, 2040),
		"session tag":            at(md5s.Area().Array+checksum.ArrayBlocks(md5s.Area().Count), 60),
	}
	for visit, err := range v.Walk(t.Context()) {
		must(t, err)
		if e := visit.Entry; e.IsRegular() {
			lba := e.Sections[0].LBA
			all[visit.Path+", first byte"] = at(lba, 0)
			all[visit.Path+", last byte"] = at(lba, e.Size-1)
			if lba > start {
				all["padding of "+visit.Path] = at(lba, e.Size)
			}
		}
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// xorrisoAudit lets xorriso check a session with all it has. It loads the tree,
// whose tags it looks at, compares the files, and on overwritable media reads all
// sessions; behind a gap it does not look for tags (1.5.4).
func xorrisoAudit(disc string, start uint32, whole bool) (string, error) {
	args := []string{
		"-abort_on", "NEVER", "-return_with", "SORRY", "32", "-md5", "on", "-load", "sbsector", fmt.Sprint(start),
		"-indev", "stdio:" + disc, "-check_md5_r", "SORRY", "/", "--",
	}
	if whole {
		args = append(args, "-check_media", "use=indev", "what=disc", "--")
	}
	b, err := exec.Command("xorriso", args...).CombinedOutput()
	out := string(b)
	if err == nil {
		for _, bad := range []string{"mismatch", "damaged", "SORRY", "FAILURE", "not match"} {
			if strings.Contains(out, bad) {
				err = fmt.Errorf("it says %q", bad)
			}
		}
	}
	if err == nil && !strings.Contains(out, "File contents and their MD5 checksums match.") {
		err = fmt.Errorf("it compared nothing")
	}
	return out, err
}

// TestFlippedByteIsNoticed flips one byte of everything that a checksum covers, on a
// disc with a file of an older session; burnfs verify and xorriso have to notice.
func TestFlippedByteIsNoticed(t *testing.T) {
	for _, media := range []emu.Media{emu.BDRE, emu.CDR} {
		t.Run(media.String(), func(t *testing.T) {
			l := newLab(t)
			ok(t, "create", "--media", media.String(), "--size", "100MB", l.disc)
			image := filepath.Join(l.dir, "image.iso")
			where := "0,0"
			if overwritable(media) {
				where = "0,32"
			}
			for _, name := range []string{"carried forward", "new"} {
				write(t, filepath.Join(l.dir, name, name), strings.Repeat(name, 700))
				args := []string{"image", "-quiet", "--no-pad", "-R", "-J", "-C", where, "-o", image, filepath.Join(l.dir, name)}
				if name == "new" {
					args = append([]string{"image", "-M", l.disc}, args[1:]...)
				}
				ok(t, args...)
				ok(t, "burn", "-q", "--multi", l.disc, image)
				where = strings.TrimSpace(ok(t, "msinfo", l.disc).out)
			}
			list := sessions(t, l.disc)
			last := list[len(list)-1].Start
			if r := ok(t, "verify", "-q", l.disc); !strings.Contains(r.out, "3 files") || !strings.Contains(r.out, "SHA-256: 3 match, 0 not recorded.") {
				t.Errorf("verify: %v", r)
			}
			for _, s := range list {
				if out, err := xorrisoAudit(l.disc, s.Start, overwritable(media)); err != nil {
					t.Errorf("xorriso, session %d: %v\n%s", s.Number, err, out)
				}
			}
			all := regions(t, l.disc, last)
			if overwritable(media) {
				all["copy of the volume descriptor"] = 16*iso9660.BlockSize + 900
			}
			f, err := os.OpenFile(l.disc, os.O_RDWR, 0)
			must(t, err)
			defer f.Close()
			for what, at := range all {
				var b [1]byte
				flip := func() {
					_, err := f.ReadAt(b[:], at)
					must(t, err)
					b[0] ^= 1
					_, err = f.WriteAt(b[:], at)
					must(t, err)
				}
				flip()
				if r := call(t, nil, "verify", "-q", l.disc); r.code != int(exitcode.Verify) {
					t.Errorf("%s: verify: %v", what, r)
				}
				// Of a later session of a write-once medium xorriso reads neither
				// what only the session's tag covers, nor our own array.
				hidden := !overwritable(media) && (strings.HasPrefix(what, "padding") || what == "session tag" || what == "array of SHA-256s")
				if out, err := xorrisoAudit(l.disc, last, overwritable(media)); err == nil && !hidden {
					t.Errorf("%s: xorriso finds nothing:\n%s", what, out)
				}
				flip()
			}
			if r := ok(t, "verify", "-q", l.disc); r.code != 0 {
				t.Errorf("verify after all was undone: %v", r)
			}
		})
	}
}

// TestSumsOfSeveralPrograms: checksums that burnfs and xorriso recorded in turn are
// carried forward by each other, which both audit. The SHA-256s, which xorriso does
// not know, are those of the sessions of burnfs since its last one.
func TestSumsOfSeveralPrograms(t *testing.T) {
	l := newLab(t)
	disc := filepath.Join(l.dir, "disc.iso")
	write(t, disc, "")
	for i, step := range []struct {
		by            string
		shas, without int // of all files of all sessions
	}{
		{"xorriso", 0, 1},
		{"burnfs", 1, 2},
		{"burnfs", 3, 3},
		{"xorriso", 3, 7},
		{"burnfs", 4, 11},
	} {
		name := fmt.Sprint("file", i)
		src := filepath.Join(l.dir, fmt.Sprint("src", i))
		write(t, filepath.Join(src, name), strings.Repeat(name, 600))
		if step.by == "xorriso" {
			run(t, "xorriso", "-abort_on", "SORRY", "-md5", "on", "-dev", "stdio:"+disc, "-map", filepath.Join(src, name), "/"+name, "-commit")
		} else {
			image := filepath.Join(l.dir, "image.iso")
			ok(t, "image", "-quiet", "--no-pad", "-R", "-J", "-C", strings.TrimSpace(ok(t, "msinfo", disc).out), "-M", disc, "-o", image, src)
			ok(t, "burn", "-q", "--multi", disc, image)
		}
		want := fmt.Sprintf("MD5: %d match, 0 not recorded; SHA-256: %d match, %d not recorded.", step.shas+step.without, step.shas, step.without)
		// That xorriso records sizes which make Linux lose names is found, too.
		if r := call(t, nil, "verify", "-q", disc); !strings.Contains(r.out, want) || strings.Contains(r.out, "checksum ") {
			t.Errorf("step %d, by %s: %s, want %s", i, step.by, r.out, want)
		}
		for _, s := range sessions(t, disc) {
			if out, err := xorrisoAudit(disc, s.Start, false); err != nil {
				t.Errorf("step %d, by %s: xorriso, session %d: %v\n%s", i, step.by, s.Number, err, out)
			}
		}
	}
}
