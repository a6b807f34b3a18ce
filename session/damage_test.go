package session

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"burnfs/session/tree"
)

// TestDamagedDirectoryIsNotRecordedAgain: a directory record that cannot be
// read must not silently be missing in the next session.
func TestDamagedDirectoryIsNotRecordedAgain(t *testing.T) {
	for _, c := range []struct {
		reason   string
		readOnly bool
		damage   func(dir []byte)
	}{
		{"one record is broken", false, func(dir []byte) {
			i := bytes.Index(dir, []byte("LOST.;1"))
			if i < 0 {
				i = bytes.Index(dir, []byte("LOST"))
			}
			dir[i-1] = 0xff // LEN_FI (ECMA-119 9.1.10)
		}},
		{"the root is gone: only the Joliet tree is left", true, func(dir []byte) { clear(dir) }},
	} {
		for _, looked := range []bool{false, true} {
			t.Run(c.reason, func(t *testing.T) {
				r := newRig(t, "")
				r.open()
				r.put("found", []byte("found"))
				r.put("lost", []byte("lost"))
				r.mkdir("d")
				r.remount()
				root, err := r.disc.base.Root(r.ctx)
				if err != nil {
					t.Fatal(err)
				}
				first := r.manifest()
				r.close()

				img, err := os.ReadFile(r.path)
				if err != nil {
					t.Fatal(err)
				}
				bad := bytes.Clone(img)
				s := root.Directory()
				from := int64(s.LBA) * blockSize
				c.damage(bad[from : from+s.Size])
				if err := os.WriteFile(r.path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				r.damaged = true
				r.open()
				if c.readOnly {
					if !r.disc.Status().ReadOnly {
						t.Error("the disc can be written")
					}
					return
				}
				if looked {
					if _, err := r.disc.Tree().Lookup(r.ctx, r.dir(""), "lost"); !errors.Is(err, tree.ErrNotExist) {
						t.Errorf("the damaged entry is shown: %v", err)
					}
				}
				r.put("new", []byte("new"))
				if _, err := r.disc.Commit(r.ctx, "damage", nil); !errors.Is(err, tree.ErrIO) {
					t.Fatalf("commit: %v", err)
				}
				r.close()

				if err := os.WriteFile(r.path, img, 0o600); err != nil {
					t.Fatal(err)
				}
				r.damaged = false
				r.open()
				if got := string(r.get(r.dir("new"))); got != "new" {
					t.Errorf("staged file holds %q", got)
				}
				r.remount()
				if got := string(r.get(r.dir("lost"))); got != "lost" {
					t.Errorf("file holds %q", got)
				}
				if first == r.manifest() {
					t.Error("nothing was committed")
				}
			})
		}
	}
}
