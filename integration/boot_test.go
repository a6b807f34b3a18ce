package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
)

// bootableImage makes an image that a BIOS, a UEFI and GRUB 2 find something to boot
// on, with a partition table in its system area. Its images are files of the tree.
func bootableImage(l *harness.Lab, name string) (image, tree string) {
	l.Helper()
	tree, image = l.Path(name), l.Path(name+".iso")
	write(l, tree+"/boot/loader.bin", strings.Repeat("a boot loader ", 2000))
	write(l, tree+"/boot/efi.img", strings.Repeat("a file system.. ", 8192))
	write(l, tree+"/README", "a disc that can be booted")
	harness.Run(l, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-b", "boot/loader.bin", "-c", "boot/boot.cat",
		"-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
		"-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot",
		"--protective-msdos-label", "-efi-boot-part", "--efi-boot-image", "-o", image, tree)
	return image, tree
}

// write makes a file and the directories that it needs.
func write(t testing.TB, name, content string) {
	t.Helper()
	harness.Run(t, "mkdir", "-p", name[:strings.LastIndexByte(name, '/')])
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newestView is what a program sees of the disc that looks at its newest session.
func newestView(t testing.TB, d *harness.Disc) judge.View {
	t.Helper()
	if harness.Overwritable(d.Media) {
		return judge.Open(t, d.Path).Newest(0)
	}
	return judge.Open(t, d.Path).Session(d.Last().Start)
}

// row is the line of a report that begins with words.
func row(report []string, words string) string {
	i := slices.IndexFunc(report, func(line string) bool { return strings.HasPrefix(line, words) })
	if i < 0 {
		return ""
	}
	return report[i]
}

// expect is the report of a session that continues the one of before. xorriso takes
// a boot information table for one if it names the descriptors of the session at
// hand; on media that are written once that is only one of the session of the image.
func expect(d *harness.Disc, before []string) []string {
	after := slices.Clone(before)
	if harness.Overwritable(d.Media) {
		return after
	}
	for i, line := range after {
		if strings.HasPrefix(line, "El Torito img opts") {
			after[i] = strings.Replace(line, "boot-info-table ", "", 1)
		}
	}
	return after
}

// TestBootableDiscs adds sessions to discs that can be booted. xorriso and isoinfo
// find the same catalogue, images and partition tables after each. Then the images
// are changed, which the catalogue follows, and deleted, which it does not.
func TestBootableDiscs(t *testing.T) {
	t.Parallel()
	for _, media := range []string{harness.PlainISO, "bd-re", "bd-r", "cd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			image, _ := bootableImage(l, "tree")
			d := l.Disc(media)
			if media == harness.PlainISO {
				harness.Run(l, "cp", image, d.Path)
			} else {
				l.MustBurnfs("burn", "-q", d.Path, image)
			}
			before, isoinfo := newestView(t, d).Boot(), newestView(t, d).IsoinfoBoot()
			if row(before, "El Torito img opts :   1  boot-info-table grub2-boot-info") == "" || row(before, "GPT partition path :   2  /boot/efi.img") == "" {
				t.Fatalf("the image is not what it was to be:\n%s", strings.Join(before, "\n"))
			}
			for i := range 3 {
				m := d.Mount()
				harness.Shell(l, `echo "session $1" >"$2"`, fmt.Sprint(i), m.Path(fmt.Sprintf("new%d", i)))
				m.Burn()
				v := newestView(t, d)
				if got := v.Boot(); !slices.Equal(got, expect(d, before)) {
					t.Errorf("after session %d xorriso reports\n%s\ninstead of\n%s", i+2, strings.Join(got, "\n"), strings.Join(before, "\n"))
				}
				if got := v.IsoinfoBoot(); got != isoinfo || got == "" {
					t.Errorf("after session %d isoinfo reports\n%s\ninstead of\n%s", i+2, got, isoinfo)
				}
				v.Check()
			}

			// New content goes under the old names, by overwriting and by renaming;
			// the loader keeps its name, the other image loses it afterwards.
			fresh := strings.Repeat("a new loader ", 1000)
			write(l, l.Path("fresh"), fresh)
			m := d.Mount()
			harness.Shell(l, `cp "$1" "$2"; mv "$2" "$3"; printf new | dd of="$4" conv=notrunc status=none`,
				l.Path("fresh"), m.Path("tmp"), m.Path("boot/loader.bin"), m.Path("boot/efi.img"))
			out := l.MustBurnfs("umount", m.Point)
			m.AwaitEnd()
			for _, want := range []string{"boots the new /boot/loader.bin (BIOS)", "boots the new /boot/efi.img (UEFI)"} {
				if !strings.Contains(out, want) {
					t.Errorf("umount does not say that the disc %s:\n%s", want, out)
				}
			}
			v := newestView(t, d)
			v.Check()
			followed := v.Boot()
			for _, line := range before {
				if strings.HasPrefix(line, "El Torito img path") || strings.HasPrefix(line, "El Torito img opts") {
					if !slices.Contains(followed, line) {
						t.Errorf("after a change of the images xorriso lacks %q:\n%s", line, strings.Join(followed, "\n"))
					}
				}
			}
			for _, entry := range []string{"El Torito boot img :   1", "El Torito boot img :   2"} {
				was, is := strings.Fields(row(before, entry)), strings.Fields(row(followed, entry))
				last := len(was) - 1
				if len(is) != len(was) || is[last] == was[last] || !slices.Equal(is[:last], was[:last]) {
					t.Errorf("the entry became %q from %q", is, was)
				}
			}
			patched := l.Path("patched")
			harness.Run(l, "xorriso", "-osirrox", "on", "-indev", "stdio:"+v.Plain(), "-extract", "/boot/loader.bin", patched)
			got, err := os.ReadFile(patched)
			if err != nil {
				t.Fatal(err)
			}
			if string(got[64:2548]) != fresh[64:2548] || string(got[2556:]) != fresh[2556:] || string(got) == fresh {
				t.Error("the new loader is not on the disc, or does not know where it is")
			}

			m = d.Mount()
			harness.Shell(l, `rm "$1"; mv "$2" "$3"; : >"$4"`, m.Path("boot/boot.cat"), m.Path("boot/loader.bin"), m.Path("boot/other"), m.Path("boot/efi.img"))
			out = l.MustBurnfs("umount", m.Point)
			m.AwaitEnd()
			if !strings.Contains(out, "still boots its old content") {
				t.Errorf("umount does not say that images are gone:\n%s", out)
			}
			v = newestView(t, d)
			v.Check()
			gone := v.Boot()
			for _, entry := range []string{"El Torito catalog", "El Torito boot img :   1", "El Torito boot img :   2"} {
				if row(gone, entry) != row(followed, entry) {
					t.Errorf("after the images were taken away the entry became %q from %q", row(gone, entry), row(followed, entry))
				}
			}
			if row(gone, "El Torito img path :   1  /boot/other") == "" {
				t.Errorf("xorriso does not find the renamed image:\n%s", strings.Join(gone, "\n"))
			}
		})
	}
}

// TestBootableFromElsewhere continues bootable discs that other programs laid out
// otherwise, and lets `burnfs image` make the session.
func TestBootableFromElsewhere(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	image, tree := bootableImage(l, "tree")
	add := l.Path("add")
	write(l, add+"/added", "by burnfs image")
	write(l, add+"/boot/loader.bin", strings.Repeat("another loader ", 900))
	for _, first := range []struct {
		reason string
		media  string
		make   func(d *harness.Disc)
	}{
		{"genisoimage at block 32 of a rewritable disc", "bd-re", func(d *harness.Disc) {
			out := l.Path("at32.iso")
			harness.Run(l, "genisoimage", "-quiet", "-R", "-C", "0,32", "-b", "boot/loader.bin", "-no-emul-boot", "-boot-load-size", "4",
				"-boot-info-table", "-c", "boot/boot.cat", "-o", out, tree)
			l.MustBurnfs("burn", "-q", d.Path, out)
		}},
		{"xorriso, images without a name", "bd-r", func(d *harness.Disc) {
			out := l.Path("hidden.iso")
			harness.Run(l, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-b", "boot/loader.bin", "-c", "boot/boot.cat", "-no-emul-boot",
				"-hide", "boot.cat", "-hide", "loader.bin", "-o", out, tree)
			l.MustBurnfs("burn", "-q", d.Path, out)
		}},
		{"emulation of a floppy disk", harness.PlainISO, func(d *harness.Disc) {
			floppy := l.Path("floppy")
			write(l, floppy+"/floppy.img", strings.Repeat("\x00", 1474560))
			harness.Run(l, "genisoimage", "-quiet", "-R", "-b", "floppy.img", "-c", "boot.cat", "-o", d.Path, floppy)
		}},
		{"both", "cd-r", func(d *harness.Disc) { l.MustBurnfs("burn", "-q", d.Path, image) }},
	} {
		d := l.Adopt(first.media, l.Path(strings.ReplaceAll(first.reason, " ", "-")))
		if first.media != harness.PlainISO {
			l.MustBurnfs("create", "--media", first.media, d.Path)
		}
		first.make(d)
		before := newestView(t, d).Boot()
		m := d.Mount()
		harness.Shell(l, `echo x >"$1"`, m.Path("new"))
		m.Burn()
		if got := newestView(t, d).Boot(); !slices.Equal(got, expect(d, before)) || row(got, "El Torito boot img :   1") == "" {
			t.Errorf("%s: xorriso reports\n%s\ninstead of\n%s", first.reason, strings.Join(got, "\n"), strings.Join(before, "\n"))
		}
		before = newestView(t, d).Boot()
		next := l.Path("next.iso")
		r := l.Burnfs("image", "-R", "-J", "-M", d.Path, "-o", next, add)
		if r.Code != 0 {
			t.Fatal(r)
		}
		l.MustBurnfs("burn", "-q", d.Path, next)
		v := newestView(t, d)
		v.Check()
		got := v.Boot()
		was, is := row(before, "El Torito boot img :   1"), row(got, "El Torito boot img :   1")
		follows := row(before, "El Torito img path :   1  /boot/loader.bin") != ""
		if is == "" || follows == (was == is) || follows != strings.Contains(r.Stderr, "boots the new /boot/loader.bin") ||
			follows != strings.HasPrefix(row(got, "El Torito img opts :   1"), "El Torito img opts :   1  boot-info-table") {
			t.Errorf("%s: `burnfs image` makes %q of %q and says\n%s", first.reason, is, was, r.Stderr)
		}
	}
}
