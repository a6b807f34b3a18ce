package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
	"burnfs/session/tree"
)

// TestForeignDiscsContinued adds a session to discs of foreign programs. What was on
// them is there afterwards, by our own reading and by that of xorriso.
func TestForeignDiscsContinued(t *testing.T) {
	all, err := fixture.Images()
	if err != nil {
		t.Fatal(err)
	}
	for _, disc := range all {
		t.Run(disc.Name, func(t *testing.T) {
			t.Parallel()
			data, err := disc.Data()
			if err != nil {
				t.Fatal(err)
			}
			last := disc.Sessions[0]
			if len(disc.Sessions) > 1 {
				// The image of a write-once medium: its newest session is shown as a
				// drive would, at block 16.
				last = disc.Sessions[len(disc.Sessions)-1]
				data = asOverwritten(data, last.Start)
			}
			r := newRig(t, "")
			kind := r.continued(data, "")
			want := map[string]fixture.File{}
			for _, f := range last.Files {
				f.Path = shownAs(kind, f.Path)
				want[f.Path] = f
			}
			r.sameByXorriso(want)
		})
	}
}

// TestOddDiscsContinued does the same with odd discs. One with an entry that cannot
// be read is not continued, since that entry would be lost.
func TestOddDiscsContinued(t *testing.T) {
	for _, odd := range fixture.Odd() {
		if odd.Want == nil {
			continue
		}
		t.Run(odd.Name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "")
			// What burnfs leaves as it found it is not for its checker: descriptors of
			// a type that does not exist, and a set of them without an end, since
			// there is no telling whether the block behind it is free.
			r.damaged = odd.Name == "no terminator" || odd.Name == "unknown descriptors"
			if odd.Broken > 0 {
				r.refused(odd.Data)
				return
			}
			r.continued(odd.Data, odd.Reason)
			want := map[string]fixture.File{}
			add := func(name, data string) {
				sum := sha256.Sum256([]byte(data))
				f := fixture.File{Path: strings.TrimSuffix(name, "/"), Kind: 'f', Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
				if f.Path != name {
					f.Kind, f.Size, f.SHA256 = 'd', 0, ""
				}
				want[f.Path] = f
			}
			for name, data := range odd.Want {
				add(name, data)
			}
			for name, data := range odd.Twice {
				add(name+"~2", data)
			}
			r.sameByXorriso(want)
		})
	}
}

// TestDamagedRootOfOthers: where the root with the Rock Ridge names is damaged, the
// Joliet tree is shown and not recorded again, which would lose links and owners.
func TestDamagedRootOfOthers(t *testing.T) {
	r := newRig(t, "")
	iso := filepath.Join(t.TempDir(), "x.iso")
	src := t.TempDir()
	if err := os.Symlink("target", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("genisoimage", "-quiet", "-R", "-J", "-o", iso, src).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(iso)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := iso9660.ParsePrimary(iso9660.VolumeDescriptor(data[16*blockSize:][:blockSize]))
	if !ok {
		t.Fatal("no primary descriptor")
	}
	root, err := p.RootRecord()
	if err != nil {
		t.Fatal(err)
	}
	clear(data[int(root.Location())*blockSize:][:blockSize])
	if err := os.WriteFile(r.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r.others, r.damaged = true, true
	r.open()
	if s := r.disc.Status(); !s.ReadOnly || r.disc.base.Tree() != volume.Joliet {
		t.Errorf("%v, read only %v", r.disc.base.Tree(), s.ReadOnly)
	}
}

// asOverwritten puts the descriptors of the session at block start to block 16.
func asOverwritten(data []byte, start uint32) []byte {
	from := int(start+16) * blockSize
	copy(data[16*blockSize:], data[from:from+4*blockSize])
	return data
}

// numbers are what a disc of others does not record as burnfs counts it.
var numbers = regexp.MustCompile(` (ino|nlink)=\d+`)

// continued writes data to the disc and adds a session to it.
func (r *rig) continued(data []byte, reason string) volume.TreeKind {
	r.Helper()
	if err := os.WriteFile(r.path, data, 0o600); err != nil {
		r.Fatal(err)
	}
	r.others = true
	r.open()
	if s := r.disc.Status(); s.ReadOnly {
		r.Fatalf("read only: %s (%s)", s.ReadOnlyReason, reason)
	}
	kind := r.disc.base.Tree()
	before := numbers.ReplaceAllString(r.manifest(), "")
	r.put("added by burnfs", []byte("added"))
	r.remount()
	after := numbers.ReplaceAllString(r.manifest(), "")
	for line := range strings.Lines(before) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, " ") && !slices.Contains(strings.Split(after, "\n"), line) {
			r.Errorf("lost (%s): %s", reason, line)
		}
	}
	if got, want := strings.Count(after, "\n"), strings.Count(before, "\n")+1; got != want {
		r.Errorf("%d names, want %d (%s)\n%s", got, want, reason, diff(before, after))
	}
	if got := string(r.get(r.dir("added by burnfs"))); got != "added" {
		r.Errorf("the added file holds %q", got)
	}
	r.close()
	return kind
}

// refused writes data to the disc, of which a part cannot be read, and fails to add a
// session.
func (r *rig) refused(data []byte) {
	r.Helper()
	if err := os.WriteFile(r.path, data, 0o600); err != nil {
		r.Fatal(err)
	}
	r.others, r.brokenStaging = true, true // what the changes build upon cannot be read whole
	r.open()
	r.put("added by burnfs", []byte("added"))
	if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, tree.ErrIO) {
		r.Errorf("commit: %v", err)
	}
	r.close()
	now, err := os.ReadFile(r.path)
	if err != nil {
		r.Fatal(err)
	}
	if !bytes.Equal(now, data) {
		r.Error("the disc was changed")
	}
}

// shownAs is the name under which burnfs shows what bsdtar shows as name of a tree.
func shownAs(kind volume.TreeKind, name string) string {
	if kind == volume.RockRidge {
		return name
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		p = strings.TrimSuffix(p, ";1")
		if kind == volume.Plain {
			p = strings.ToLower(p)
		}
		parts[i] = p
	}
	return path.Join(parts...)
}

// sameByXorriso compares what xorriso reads from the disc with want.
func (r *rig) sameByXorriso(want map[string]fixture.File) {
	r.Helper()
	root := filepath.Join(filepath.Dir(r.path), "extracted")
	cmd := exec.CommandContext(r.ctx, "xorriso", "-osirrox", "on", "-indev", "stdio:"+r.path, "-extract", "/", root)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.Fatalf("xorriso: %v\n%s", err, out)
	}
	got := map[string]fixture.File{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := fixture.File{Path: file[len(root)+1:], Kind: 'f', Perm: uint32(info.Mode().Perm()), Mtime: info.ModTime().UTC().Truncate(time.Second)}
		switch info.Mode().Type() {
		case fs.ModeDir:
			f.Kind = 'd'
		case fs.ModeNamedPipe:
			f.Kind = 'p'
		case fs.ModeSymlink:
			f.Kind = 'l'
			f.Target, err = os.Readlink(file)
		default:
			var data []byte
			data, err = os.ReadFile(file)
			sum := sha256.Sum256(data)
			f.Size, f.SHA256 = int64(len(data)), hex.EncodeToString(sum[:])
		}
		got[f.Path] = f
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	delete(got, "added by burnfs")
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w := want[name]
		g, ok := got[name]
		delete(got, name)
		if !ok {
			// Linux, and so burnfs, shows a dot before nothing where there is no version.
			g, ok = got[name+"."]
			delete(got, name+".")
		}
		switch {
		case !ok:
			r.Errorf("xorriso does not find %q any more", name)
		case g.Kind != w.Kind || g.Size != w.Size || w.Kind == 'f' && g.SHA256 != w.SHA256 || g.Target != w.Target:
			r.Errorf("xorriso reads %+v, which was %+v", g, w)
		case w.Kind != 'l' && !w.Mtime.IsZero() && !g.Mtime.Equal(w.Mtime):
			r.Errorf("%q has the time %v, and had %v", name, g.Mtime, w.Mtime)
		}
	}
	for name := range got {
		r.Errorf("xorriso finds %q, which was not there", name)
	}
}
