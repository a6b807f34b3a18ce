//go:build linux && kernel

package kernel

import (
	"encoding/gob"
	"fmt"
	"os"
	"path"
	"strings"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// isofs is what the kernel's isofs shows of Rock Ridge: no attributes, whole
// seconds, an inode number for every name.
const isofs = manifest.Size | manifest.Content | manifest.Perm | manifest.Owner | manifest.Nlink |
	manifest.MtimeSeconds | manifest.Target | manifest.Device

// model is a directory to which everything is done that is done to a disc.
type model struct {
	*room
	dir      string
	sessions []manifest.Tree // what each session must hold, the oldest first
}

func (r *room) model() *model {
	r.Helper()
	m := &model{room: r, dir: r.dir + "/model"}
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		r.Fatal(err)
	}
	return m
}

// change runs a script on the model and on the directory of the guest. It finds
// in $ROOT what it is to change. Whatever is new gets the same time everywhere.
func (m *model) change(dir, script string) {
	m.Helper()
	if dir != "" {
		m.sh(burnTime, "ROOT="+dir+"\n"+script+same)
	}
	harness.Run(m, "bash", "-ec", "ROOT="+m.dir+"\n"+script+same)
}

// same makes times not differ by when a script ran.
const same = `
find $ROOT -newermt 2026-01-01 -exec touch -h -d @1600000000 {} +`

// keep remembers the model as the next session.
func (m *model) keep() {
	m.Helper()
	m.sessions = append(m.sessions, manifest.MustRead(m, m.dir))
}

// newest is what the last session must hold.
func (m *model) newest() manifest.Tree { return m.sessions[len(m.sessions)-1] }

// tree describes a directory of the guest.
func (r *room) tree(dir string) manifest.Tree {
	r.Helper()
	file := r.dir + "/tree"
	r.sh(burnTime, fmt.Sprintf("%s %s %s", shared.describe, dir, file))
	f, err := os.Open(file)
	if err != nil {
		r.Fatal(err)
	}
	defer f.Close()
	var t manifest.Tree
	if err := gob.NewDecoder(f).Decode(&t); err != nil {
		r.Fatal(err)
	}
	return t
}

// compare fails the test if a directory of the guest is not as it should be.
func (r *room) compare(what, dir string, want manifest.Tree, aspects manifest.Aspect) {
	r.Helper()
	if d := manifest.Diff(want, r.tree(dir), aspects); d != "" {
		r.Errorf("%s:\n%s", what, d)
	}
}

// found tells what the kernel's isofs can look up. Until Linux 6.2 the function
// isofs_find_entry takes characters for signed on x86, and a name of one byte
// beyond 7Fh for the name of a directory itself: it is listed, but not found.
func found(name string, _ *manifest.Entry) bool {
	base := path.Base(name)
	return len(base) > 1 || base[0] < 0x80
}

// kernelShows mounts a disc with the kernel's own isofs and compares. options
// are for mount -o, besides ro.
func (r *room) kernelShows(device string, want manifest.Tree, options ...string) {
	r.Helper()
	opt := strings.Join(append([]string{"ro"}, options...), ",")
	r.sh(quick, fmt.Sprintf("mount -t iso9660 -o %s %s /mnt", opt, device))
	r.compare("the kernel's isofs, mounted -o "+opt, "/mnt", want.Select(found), isofs)
	r.sh(quick, "umount /mnt")
}
