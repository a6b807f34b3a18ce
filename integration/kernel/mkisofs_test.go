//go:build linux && kernel

package kernel

import (
	"fmt"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
	"burnfs/mmc/emu"
)

// TestWithoutJoliet is scenario 2 in the manner of mkisofs: burnfs image and
// burnfs burn in the guest, three sessions with Rock Ridge alone.
func TestWithoutJoliet(t *testing.T) {
	for _, media := range []emu.Media{emu.CDR, emu.DVDPlusR} {
		t.Run(string(media), func(t *testing.T) {
			r := enter(t)
			p := r.play(media, nil)
			burnfs := harness.Binary(t)
			m := r.model()
			previous := ""
			for i := range 3 {
				more := fmt.Sprintf("%s/more%d", r.dir, i)
				harness.Run(t, "bash", "-ec", fmt.Sprintf("ROOT=%s/%d; mkdir -p $ROOT; head -c 100000 /dev/urandom >$ROOT/bytes\n%s\n%s", more, i, specimens, same))
				harness.Run(t, "cp", "-a", more+"/.", m.dir)
				m.keep()
				r.sh(burnTime, fmt.Sprintf("%[1]s image -q -R %[2]s -o - %[3]s | %[1]s burn -q %[4]s -", burnfs, previous, more, p.SR))
				r.reprobe(p)
				r.kernelShows(p.SR, m.newest())
				previous = fmt.Sprintf("-C $(%s msinfo %[2]s) -M %[2]s", burnfs, p.SR)
			}
			list := r.sessions(p.SR)
			if len(list) != 3 {
				t.Fatalf("burnfs finds the sessions %+v", list)
			}
			for i, s := range list[:2] {
				r.kernelShows(p.SR, m.sessions[i], fmt.Sprintf("sbsector=%d", s.Sbsector))
			}
			if log := r.sh(quick, "dmesg | tail -n 2"); strings.Contains(log, "Joliet") {
				t.Errorf("the kernel sees Joliet:\n%s", log)
			}
			r.sh(quick, burnfs+" mount -o ro,statedir=/tmp/state "+p.SR+" /mnt")
			r.compare("burnfs mount", "/mnt", m.newest(), manifest.Everything)
			r.sh(quick, burnfs+" umount /mnt; rm -rf /tmp/state")
			r.sh(burnTime, burnfs+" verify "+p.SR)
		})
	}
}
