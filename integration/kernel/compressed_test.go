//go:build linux && kernel

package kernel

import (
	"fmt"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
	"burnfs/mmc/emu"
)

// TestCompressed: the kernel's isofs, whose format it is, and burnfs show the same of
// compressed files, those of xorriso and of mkzftree, and also of the session in which
// burnfs continues the disc.
func TestCompressed(t *testing.T) {
	for _, row := range []struct {
		name, make string // makes $2 of the directory $1
	}{
		{"xorriso", `xorriso -abort_on SORRY -outdev $2 -zisofs block_size=128k -map $1 / -find / -type f -exec set_filter --zisofs -- -commit 2>&1`},
		{"mkzftree", `mkzftree $1 $1.packed; genisoimage -quiet -z -R -o $2 $1.packed`},
	} {
		t.Run(row.name, func(t *testing.T) {
			const known = manifest.Size | manifest.Content | manifest.Perm | manifest.MtimeSeconds
			r := enter(t)
			p := r.play(emu.CDR, nil)
			burnfs := harness.Binary(t)
			m := r.model()
			m.change("", `seq 1 90000 >$ROOT/text
(seq 1 9000; head -c 700000 /dev/zero; seq 1 20000) >$ROOT/holes
seq 1 60000 >$ROOT/changed
seq 1 70000 >$ROOT/cut`)
			harness.Shell(t, row.make, m.dir, r.dir+"/image.iso")
			r.sh(burnTime, fmt.Sprintf("%s burn -q %s %s/image.iso", burnfs, p.SR, r.dir))
			m.keep()
			shows := func(what, mount, umount string) {
				t.Helper()
				r.foreignShows(what, p, mount, umount, m.newest().Select(notRoot), notRoot, known)
			}
			kernel := func(what string) {
				t.Helper()
				r.reprobe(p)
				shows(what, "mount -t iso9660 -o ro "+p.SR+" /mnt", "umount /mnt")
			}
			kernel("the kernel's isofs")
			mount := burnfs + " mount -o statedir=/tmp/state " + p.SR + " /mnt"
			shows("burnfs", mount, "true")
			m.change("/mnt", `mv $ROOT/text $ROOT/renamed
chmod 600 $ROOT/holes
printf middle | dd of=$ROOT/changed bs=1 seek=200000 conv=notrunc status=none
truncate -s 99999 $ROOT/cut`)
			m.keep()
			shows("burnfs, changed", "true", burnfs+" umount /mnt; rm -rf /tmp/state")
			kernel("the kernel's isofs, of our session")
		})
	}
}
