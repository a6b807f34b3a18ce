//go:build linux && kernel

package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/harness"
	"burnfs/integration/manifest"
	"burnfs/mmc/emu"
)

// foreign is a way in which a program that nobody here wrote adds sessions to a
// disc. The script burns one; it finds in
//
//	$SR        the drive
//	$N         the number of the session: 1, 2, 3
//	$TREE      a directory with session1 … session$N; the last is to be added
//	$IMAGE     the name of a file that it may make
//	$MSINFO    the two numbers of -C, nothing for the first session
type foreign struct {
	name   string
	media  []emu.Media
	script string
	// after is a script that says more about the disc of three sessions. Its
	// output must match the words of says.
	after string
	says  []string
	// blank is a script that erases the disc in the end.
	blank string
	// asks are programs whose -msinfo must agree with ours.
	asks []string
	// found is how many sessions can be found in the end, 0 if all can.
	found int
	// refused is why burnfs cannot add a session, "" if it can.
	refused string
	// before is a script that prepares the disc.
	before string
	// once says that the program burns a single session.
	once bool
}

const foreignSessions = 3

// isoImage makes the image of a session as most programs want it: by mkisofs,
// which continues the last session.
const isoImage = `
genisoimage -quiet -R -J ${MSINFO:+-C $MSINFO -M $SR} -V FOREIGN -o $IMAGE -graft-points session$N=$TREE/session$N
`

// TestForeignBurners is scenario 1: programs of others burn three sessions on our
// drive, behind a real kernel. They and burnfs agree on where the next session
// begins, the kernel's isofs and burnfs show every file of every session, and
// burnfs adds one more. What a program finds wrong with the drive is a defect of the drive.
func TestForeignBurners(t *testing.T) {
	for _, f := range foreignBurners() {
		for _, media := range f.media {
			t.Run(string(media)+" "+f.name, func(t *testing.T) { f.burnThree(enter(t), media) })
		}
	}
}

func foreignBurners() []foreign { return slices.Concat(foreignCD(), foreignBD(), foreignDVD()) }

func (f foreign) burnThree(r *room, media emu.Media) {
	began := time.Now()
	p := r.play(media, nil)
	burnfs := harness.Binary(r)
	m, rng := r.model(), harness.Rand(r)
	r.sh(quick, "mkdir -p /tmp/foreign")
	r.Cleanup(func() { r.cleanup("rm -rf /tmp/foreign") })
	if f.before != "" {
		r.sh(burnTime, "SR="+p.SR+"\n"+f.before)
		r.reprobe(p)
	}
	msinfo, sessions := "", foreignSessions
	if f.once {
		sessions = 1
	}
	for n := 1; n <= sessions; n++ {
		f.tree(m, rng, n)
		m.keep()
		script := fmt.Sprintf("N=%d SR=%s TREE=%s IMAGE=/tmp/foreign/image MSINFO=%s\n", n, p.SR, m.dir, msinfo)
		r.sh(burnTime, script+f.script)
		r.reprobe(p)
		if f.refused == "" {
			msinfo = f.msinfo(r, p, burnfs)
		}
		r.foreignShows("session "+fmt.Sprint(n)+" to the kernel's isofs", p, "mount -t iso9660 -o ro "+p.SR+" /mnt", "umount /mnt",
			m.newest().Select(easy), easy, manifest.Size|manifest.Content)
		r.Logf("session %d after %v", n, time.Since(began).Round(time.Second))
	}
	if f.after != "" {
		out := r.sh(quick, "SR="+p.SR+"\n"+f.after)
		for _, want := range f.says {
			if !strings.Contains(out, want) {
				r.Errorf("%q is not said of the disc:\n%s", want, out)
			}
		}
	}

	mount := burnfs + " mount -o statedir=/tmp/foreign/state "
	r.foreignShows("the disc to burnfs", p, mount+"-o ro "+p.SR+" /mnt", burnfs+" umount /mnt", m.newest().Select(notRoot), notRoot, all)

	if f.refused != "" {
		if out := r.sh(quick, mount+p.SR+" /mnt 2>&1; touch /mnt/new 2>&1 || true; "+burnfs+" umount /mnt"); !strings.Contains(out, f.refused) || !strings.Contains(out, "Read-only file system") {
			r.Errorf("the disc that takes no more is mounted with\n%s", out)
		}
		return
	}
	f.tree(m, rng, foreignSessions+1)
	m.keep()
	found := foreignSessions
	if f.found > 0 {
		found = f.found
	}
	out := r.sh(burnTime, fmt.Sprintf("%s%s /mnt\ncp -a %s/session%d /mnt/\n%s umount /mnt", mount, p.SR, m.dir, foreignSessions+1, burnfs))
	if want := fmt.Sprintf("Session %d is burned and verified", found+1); !strings.Contains(out, want) {
		r.Errorf("umount of what burnfs has added says\n%s", out)
	}
	r.reprobe(p)
	r.foreignShows("burnfs' session to the kernel's isofs", p, "mount -t iso9660 -o ro "+p.SR+" /mnt", "umount /mnt", m.newest().Select(notRoot), notRoot, all)

	if f.blank != "" {
		out := r.sh(burnTime, "SR="+p.SR+"\n"+f.blank+"\n"+burnfs+" info "+p.SR)
		if !strings.Contains(out, "blank") {
			r.Errorf("the erased disc is described as\n%s", out)
		}
	}
}

// tree makes the directory that session n adds: files around the size of a
// block, one of several hundred, a link, and a name that needs a continuation area.
func (f foreign) tree(m *model, rng *rand.Rand, n int) {
	m.Helper()
	dir := fmt.Sprintf("%s/session%d", m.dir, n)
	if err := os.MkdirAll(dir+"/sub", 0o755); err != nil {
		m.Fatal(err)
	}
	for _, size := range []int{0, 1, 2047, 2048, 2049, 700000 + n} {
		if err := os.WriteFile(fmt.Sprintf("%s/sub/%07d", dir, size), harness.Noise(rng, size), 0o640); err != nil {
			m.Fatal(err)
		}
	}
	long := strings.Repeat("n", 220)
	if err := os.WriteFile(dir+"/"+long, []byte(long), 0o600); err != nil {
		m.Fatal(err)
	}
	if err := os.Symlink("sub/0000001", dir+"/link"); err != nil {
		m.Fatal(err)
	}
	m.change("", "true")
}

// all is what programs of others record of a file and the kernel shows.
const all = manifest.Size | manifest.Content | manifest.Perm | manifest.MtimeSeconds | manifest.Target

// notRoot is everything but the root, which programs make as they like.
func notRoot(name string, _ *manifest.Entry) bool { return name != "." }

// easy is what the kernel shows of a session of others. It loses Rock Ridge, and
// shows Joliet instead, if anything in it needs a continuation area behind the
// size of the session: then links are no links, and long names are cut.
func easy(name string, _ *manifest.Entry) bool {
	base := path.Base(name)
	return base != "." && base != "link" && len(base) <= 60
}

// foreignShows mounts the disc, compares and unmounts.
func (r *room) foreignShows(what string, p *guest.Player, mount, umount string, want manifest.Tree, keep func(string, *manifest.Entry) bool, aspects manifest.Aspect) {
	r.Helper()
	r.sh(burnTime, mount)
	if d := manifest.Diff(want, r.tree("/mnt").Select(keep), aspects); d != "" {
		r.Errorf("%s:\n%s", what, d)
	}
	r.sh(burnTime, umount)
}

// msinfo asks those who know for the two numbers of -C. All of them must agree.
func (f foreign) msinfo(r *room, p *guest.Player, burnfs string) string {
	r.Helper()
	ours := strings.TrimSpace(r.sh(quick, burnfs+" msinfo "+p.SR))
	for _, program := range f.asks {
		theirs := strings.TrimSpace(r.sh(quick, program+" dev="+p.SR+" -msinfo 2>/dev/null"))
		if theirs != ours {
			r.Errorf("%s -msinfo says %s, burnfs %s", program, theirs, ours)
		}
	}
	return ours
}
