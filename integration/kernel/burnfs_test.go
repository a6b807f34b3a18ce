//go:build linux && kernel

package kernel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
	"burnfs/mmc/emu"
)

// sessionScripts are what changes from one session to the next, besides the
// harness' zoo in the first one.
var sessionScripts = []string{
	specimens,
	`mkdir $ROOT/second
cp -a $ROOT/sizes/0131073 $ROOT/second/copy
mv $ROOT/names/UPPER $ROOT/second/moved
rm -r $ROOT/deep $ROOT/sizes/0004096
printf appended >>$ROOT/sizes/1048583
printf inside | dd of=$ROOT/sizes/0131072 bs=1 seek=70000 conv=notrunc status=none
ln $ROOT/links/a $ROOT/second/one-more-link
chmod 600 $ROOT/links/b
echo new >$ROOT/long/$(printf '%0.so' {1..230})
ln -sfn $(printf 'another-directory/%.0s' {1..50})end $ROOT/long/link
rm $ROOT/long/1*`,
	`mkdir $ROOT/third
seq 1 50000 >$ROOT/third/numbers
mv $ROOT/second $ROOT/third/
echo newer >$ROOT/long/$(printf '%0.sp' {1..253})
: >$ROOT/long/$(printf '%0.so' {1..230})
rmdir "$ROOT/empty directory"`,
}

// TestBurnfsOnRealNode is scenario 2: burnfs in the guest burns three sessions
// through SG_IO, the kernel's isofs shows each of them, xorriso adds one, and
// burnfs another.
func TestBurnfsOnRealNode(t *testing.T) {
	for _, media := range []emu.Media{"cd-r", "cd-rw", "dvd-r", "dvd-rw", "dvd+r", "dvd+rw", "dvd-ram", "bd-r", "bd-re"} {
		t.Run(string(media), func(t *testing.T) { burnThree(enter(t), media) })
	}
}

func burnThree(r *room, media emu.Media) {
	began := time.Now()
	p := r.play(media, nil)
	burnfs := harness.Binary(r)
	mount := burnfs + " mount -o statedir=/tmp/burn/state "
	r.sh(quick, "mkdir -p /tmp/burn")
	r.Cleanup(func() { r.cleanup("rm -rf /tmp/burn") })

	m := r.model()
	harness.Zoo(r, harness.Rand(r), m.dir)
	for i, script := range sessionScripts {
		if i == 0 {
			m.change("", script)
			r.sh(burnTime, mount+p.SR+" /mnt\ncp -a "+m.dir+"/. /mnt/")
		} else {
			r.sh(quick, mount+p.SR+" /mnt")
			m.change("/mnt", script)
		}
		m.keep()
		r.compare(fmt.Sprintf("session %d while it is staged", i+1), "/mnt", m.newest(), manifest.Everything)
		if out := r.sh(burnTime, burnfs+" umount /mnt"); !strings.Contains(out, fmt.Sprintf("Session %d is burned and verified", i+1)) {
			r.Errorf("umount says\n%s", out)
		}
		r.reprobe(p)
		r.kernelShows(p.SR, m.newest())
		r.Logf("session %d after %v", i+1, time.Since(began).Round(time.Second))
	}
	for i, s := range r.sessions(p.SR) {
		r.kernelShows(p.SR, m.sessions[i], fmt.Sprintf("sbsector=%d", s.Sbsector))
	}
	r.jolietShows(p.SR, m.newest())
	r.sh(burnTime, burnfs+" verify "+p.SR)

	m.change("", `mkdir $ROOT/by-xorriso; seq 1 3000 >$ROOT/by-xorriso/numbers`)
	m.keep()
	r.sh(burnTime, fmt.Sprintf("xorriso -abort_on SORRY -dev %s -map %s/by-xorriso /by-xorriso -commit 2>&1", p.SR, m.dir))
	r.reprobe(p)
	r.sh(quick, "mount -t iso9660 -o ro "+p.SR+" /mnt; cmp /mnt/by-xorriso/numbers "+m.dir+"/by-xorriso/numbers; umount /mnt")
	r.sh(quick, mount+p.SR+" /mnt")
	r.compare("xorriso's session, mounted by burnfs", "/mnt", m.newest(), throughXorriso)

	// Names with continuation areas that the kernel did not show of xorriso's
	// session are there again.
	m.change("/mnt", `rm $ROOT/names/upper; echo last >$ROOT/long/$(printf '%0.sq' {1..240})`)
	m.keep()
	staged := r.tree("/mnt")
	if d := manifest.Diff(m.newest(), staged, throughXorriso); d != "" {
		r.Errorf("burnfs behind xorriso:\n%s", d)
	}
	r.sh(burnTime, burnfs+" umount /mnt")
	r.reprobe(p)
	r.kernelShows(p.SR, staged)
	r.Logf("done after %v", time.Since(began).Round(time.Second))
}

// throughXorriso is what xorriso takes over from another's session: it splits
// hard links, and drops slashes of targets and fractions of seconds.
const throughXorriso = manifest.Size | manifest.Content | manifest.Perm | manifest.Owner | manifest.MtimeSeconds | manifest.Device

// jolietShows looks at the disc as Windows would: other names, the same bytes.
func (r *room) jolietShows(device string, want manifest.Tree) {
	r.Helper()
	r.sh(quick, "mount -t iso9660 -o ro,norock,check=strict "+device+" /mnt; dmesg | tail -n 3 | grep -q Joliet")
	got := r.tree("/mnt")
	for name, e := range want {
		same := func(other *manifest.Entry) bool { return other.Kind == manifest.File && other.SHA256 == e.SHA256 }
		// The kernel cuts periods from the end of a Joliet name, and finds one
		// of those that are the same then.
		if strings.HasSuffix(name, ".") {
			continue
		}
		if e.Kind == manifest.File && e.Size > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(got)), same) {
			r.Errorf("Joliet does not show what %q holds", name)
		}
	}
	r.sh(quick, "umount /mnt")
}
