package volume_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// producers make an image of a directory each in its own way. Where they are known
// not to record something faithfully, the comparison leaves it out.
var producers = []struct {
	name    string
	reason  string
	command []string // IMAGE and SOURCE are put in
	lax     lax
}{
	{
		name:    "genisoimage",
		reason:  "Rock Ridge 1.09 in the way of mkisofs, long names over CE",
		command: []string{"genisoimage", "-quiet", "-R", "-o", "IMAGE", "SOURCE"},
	},
	{
		name:    "genisoimage with Joliet",
		reason:  "Rock Ridge is preferred to the Joliet tree beside it",
		command: []string{"genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-o", "IMAGE", "SOURCE"},
	},
	{
		name:    "genisoimage rational",
		reason:  "-r changes owners and modes and nothing else",
		command: []string{"genisoimage", "-quiet", "-rational-rock", "-o", "IMAGE", "SOURCE"},
		lax:     lax{modes: true},
	},
	{
		name:    "genisoimage with deep directories",
		reason:  "-D breaks the eight levels instead of relocating",
		command: []string{"genisoimage", "-quiet", "-R", "-D", "-o", "IMAGE", "SOURCE"},
	},
	{
		name:    "xorriso",
		reason:  "Rock Ridge 1.10",
		command: []string{"xorriso", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"},
	},
	{
		name:   "xorriso with everything",
		reason: "Rock Ridge 1.12, Joliet, attributes, checksums",
		command: []string{
			"xorriso", "-compliance", "new_rr", "-joliet", "on", "-md5", "on", "-xattr", "on", "-acl", "on", "-hardlinks", "on",
			"-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit",
		},
		lax: lax{serials: true},
	},
	{
		name:   "xorriso with relocation",
		reason: "CL, PL and RE of libisofs",
		command: []string{
			"xorriso", "-compliance", "deep_paths_off", "-rr_reloc_dir", "rr_moved",
			"-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit",
		},
	},
	{
		name:    "bsdtar",
		reason:  "the writer of libarchive",
		command: []string{"bsdtar", "--format=iso9660", "--options=iso9660:rockridge=strict", "--exclude", "./level01", "-cf", "IMAGE", "-C", "SOURCE", "."},
		lax:     lax{without: "level01", root: true}, // its relocation crashes it
	},
}

// lax says what of an image is not compared, or, for serials, is compared.
type lax struct {
	root    bool   // nothing is recorded of the root
	modes   bool   // owners and permissions differ on purpose
	serials bool   // hard links must share a serial number
	without string // a directory that the image does not have
}

func TestReadsWhatOthersWrite(t *testing.T) {
	source := sourceTree(t)
	for _, p := range producers {
		t.Run(p.name, func(t *testing.T) {
			r := produce(t, p.command, source)
			v := mustOpen(t, r, 0, volume.Options{})
			if v.Tree() != volume.RockRidge {
				t.Fatalf("tree = %v (%s)", v.Tree(), p.reason)
			}
			compareWithSource(t, r, v, source, p.lax)
		})
	}
}

// compareWithSource compares a Rock Ridge tree with the directory it was made of.
func compareWithSource(t *testing.T, r iso9660.BlockReader, v *volume.Volume, source string, lax lax) {
	t.Helper()
	got := walk(t, v)
	must(t, filepath.WalkDir(source, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		if name == lax.without {
			return fs.SkipDir
		}
		g, ok := got[name]
		delete(got, name)
		if !ok {
			t.Errorf("%.80s is missing", name)
			return nil
		}
		w := sourceFile(t, path)
		if g.Mode&volume.ModeType != w.Mode&volume.ModeType {
			t.Errorf("%.80s: type %o, want %o", name, g.Mode, w.Mode)
		}
		if !lax.modes && !(lax.root && name == ".") && (g.Mode != w.Mode || g.UID != w.UID || g.GID != w.GID) {
			t.Errorf("%.80s: mode %o of %d:%d, want %o of %d:%d", name, g.Mode, g.UID, g.GID, w.Mode, w.UID, w.GID)
		}
		if name != "." && !g.Mtime.Equal(w.Mtime) {
			t.Errorf("%.80s: mtime %v, want %v", name, g.Mtime, w.Mtime)
		}
		if g.Mtime.Location() != time.UTC || g.Atime.Location() != time.UTC || g.Ctime.Location() != time.UTC {
			t.Errorf("%.80s: times are not in UTC", name)
		}
		if g.RdevMajor != w.RdevMajor || g.RdevMinor != w.RdevMinor {
			t.Errorf("%.80s: device %d:%d, want %d:%d", name, g.RdevMajor, g.RdevMinor, w.RdevMajor, w.RdevMinor)
		}
		if g.Target != w.Target {
			t.Errorf("%.80s: target %q, want %q", name, g.Target, w.Target)
		}
		if (g.IsRegular() || g.IsSymlink()) && g.Size != w.Size {
			t.Errorf("%.80s: size %d, want %d", name, g.Size, w.Size)
		}
		if g.IsRegular() {
			data, err := os.ReadFile(path)
			must(t, err)
			if !bytes.Equal(content(t, r, g), data) {
				t.Errorf("%.80s: the content differs", name)
			}
			if g.Size == 0 && g.Sections != nil {
				t.Errorf("%.80s: an empty file has sections %v", name, g.Sections)
			}
		}
		return nil
	}))
	if len(got) > 0 {
		t.Errorf("not in the source: %.200q", slices.Sorted(maps.Keys(got)))
	}
	if lax.serials {
		all := walk(t, v)
		a, b, c := all["block+1"], all["hardlink"], all["plain.txt"]
		if !a.HasSerial || a.Serial != b.Serial || a.Serial == c.Serial {
			t.Errorf("serials of two hard links and another file: %d, %d, %d", a.Serial, b.Serial, c.Serial)
		}
		if a.Nlink != 2 || c.Nlink != 1 {
			t.Errorf("nlink of a hard link and another file: %d, %d", a.Nlink, c.Nlink)
		}
		if !slices.Equal(a.Sections, b.Sections) {
			t.Errorf("hard links lie at %v and %v", a.Sections, b.Sections)
		}
	}
	checkRecordPlaces(t, v)
}

// checkRecordPlaces checks that the place of its record is unique to an entry.
func checkRecordPlaces(t *testing.T, v *volume.Volume) {
	t.Helper()
	type place struct {
		lba    uint32
		offset uint16
	}
	seen := make(map[place]string)
	for at, err := range v.Walk(context.Background()) {
		must(t, err)
		p := place{at.Entry.RecordLBA, at.Entry.RecordOffset}
		if other, twice := seen[p]; twice {
			t.Errorf("%.80s and %.80s have the same record", at.Path, other)
		}
		seen[p] = at.Path
	}
}

// TestLongTargets reads targets up to the limit of Linux, 4095 bytes, and, of the
// producer that is able to do so, with components up to 255 bytes.
func TestLongTargets(t *testing.T) {
	for _, tt := range []struct {
		producer []string
		targets  map[string]string
	}{
		{
			producer: []string{"xorriso", "-outdev", "stdio:IMAGE", "-map", "SOURCE", "/", "-commit"},
			targets: map[string]string{ // libisofs takes up to 1023 bytes
				"many-components": strings.Repeat("d/", 500) + strings.Repeat("f", 23),
				"long-components": strings.Repeat(strings.Repeat("c", 255)+"/", 3) + strings.Repeat("f", 255),
				"doubled-slashes": "/a//b///c/.//../d/e",
			},
		},
		{
			producer: []string{"bsdtar", "--format=iso9660", "-cf", "IMAGE", "-C", "SOURCE", "."},
			targets: map[string]string{ // it records those of many components wrongly
				"long-components": strings.Repeat(strings.Repeat("c", 255)+"/", 15) + strings.Repeat("f", 255),
			},
		},
	} {
		t.Run(tt.producer[0], func(t *testing.T) {
			source := filepath.Join(t.TempDir(), "source")
			must(t, os.Mkdir(source, 0o755))
			for name, target := range tt.targets {
				must(t, os.Symlink(target, filepath.Join(source, name)))
			}
			r := produce(t, tt.producer, source)
			got := walk(t, mustOpen(t, r, 0, volume.Options{}))
			for name, target := range tt.targets {
				if got[name].Target != target {
					t.Errorf("%s: target %q, want %q", name, got[name].Target, target)
				}
			}
		})
	}
}

// produce runs one of the producers.
func produce(t *testing.T, command []string, source string) image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.iso")
	replace := strings.NewReplacer("IMAGE", path, "SOURCE", source)
	var args []string
	for _, arg := range command[1:] {
		args = append(args, replace.Replace(arg))
	}
	run(t, command[0], args...)
	return openImage(t, path)
}
