//go:build linux && kernel

package kernel

import (
	"fmt"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/mmc/emu"
)

// foreignCD are programs that burn CD. What they cannot do themselves is left out: wodim
// and cdrskin write only the first session of a disc at once (wodim ignores where a later one
// begins, cdrskin refuses), wodim announces XA blocks in a cue sheet with a form
// that no drive knows, and growisofs does not burn CD at all.
func foreignCD() []foreign {
	cds := []emu.Media{emu.CDR, emu.CDRW}
	wodim := isoImage + "wodim dev=$SR -s -multi -gracetime=2 "
	cdrskin := isoImage + "cdrskin dev=$SR -s -multi "
	const toc = "wodim dev=$SR -toc 2>&1; wodim dev=$SR -atip 2>&1"
	list := []foreign{
		{
			name: "wodim tao", media: cds[:1], script: wodim + "-tao -data $IMAGE",
			after: toc, says: []string{"track:   3 lba:", "mode: 1\n", "Is not erasable", "CMC Magnetics"},
		},
		{
			name: "wodim tao xa", media: cds[1:], script: wodim + "-tao -xa $IMAGE",
			after: toc, says: []string{"track:   3 lba:", "mode: 2\n", "Is erasable"},
			blank: "wodim dev=$SR -s -gracetime=2 blank=fast",
		},
		{
			name: "wodim sao", media: cds, script: wodim + "$([ $N = 1 ] && echo -sao || echo -tao) -data $IMAGE",
			after: toc, says: []string{"track:   3 lba:"},
		},
		{
			name: "cdrskin tao", media: cds[1:], script: cdrskin + "-tao $IMAGE",
			after: "cdrskin dev=$SR -minfo 2>&1", says: []string{"incomplete/appendable", "number of sessions:       4"},
			blank: "cdrskin dev=$SR -s blank=all",
		},
		{
			name: "cdrskin sao", media: cds[:1], script: cdrskin + "$([ $N = 1 ] && echo -sao || echo -tao) $IMAGE",
			after: "cdrskin dev=$SR -minfo 2>&1", says: []string{"incomplete/appendable"},
		},
		{
			name: "xorriso", media: cds, script: "xorriso -dev $SR -joliet on -map $TREE/session$N /session$N -commit 2>&1",
			after: "xorriso -indev $SR -toc 2>&1", says: []string{"3 sessions", "ISO session  :   3 ,"},
		},
	}
	for i := range list {
		list[i].asks = []string{"wodim", "cdrskin"}
	}
	return list
}

// TestBurnfsCDModes lets burnfs write CDs in the ways that are not the default:
// blocks of other sizes than 2048 bytes pass the kernel's SG_IO, and what comes of
// it can be read and continued by the others.
func TestBurnfsCDModes(t *testing.T) {
	for _, c := range []struct {
		media   emu.Media
		options string
		mode    string // as wodim -toc tells it
	}{
		{emu.CDR, "mode=sao,xa", "mode: 2\n"},
		{emu.CDRW, "mode=sao", "mode: 1\n"},
	} {
		t.Run(string(c.media)+" "+c.options, func(t *testing.T) {
			r := enter(t)
			p := r.play(c.media, nil)
			burnfs := harness.Binary(r)
			r.sh(quick, "mkdir -p /tmp/foreign")
			r.Cleanup(func() { r.cleanup("rm -rf /tmp/foreign") })
			m, rng := r.model(), harness.Rand(r)
			for n := 1; n <= foreignSessions; n++ {
				foreign{}.tree(m, rng, n)
				m.keep()
				r.sh(burnTime, fmt.Sprintf("%s mount -o statedir=/tmp/foreign/state,%s %s /mnt\ncp -a %s/session%d /mnt/\n%s umount /mnt",
					burnfs, c.options, p.SR, m.dir, n, burnfs))
				r.reprobe(p)
				r.foreignShows(fmt.Sprintf("session %d to the kernel's isofs", n), p, "mount -t iso9660 -o ro "+p.SR+" /mnt", "umount /mnt",
					m.newest().Select(notRoot), notRoot, all)
			}
			if out := r.sh(quick, "wodim dev="+p.SR+" -toc 2>&1"); strings.Count(out, c.mode) != foreignSessions {
				r.Errorf("wodim -toc says\n%s", out)
			}
			// The last one is closed in the same way, and nothing can follow.
			out := r.sh(burnTime, fmt.Sprintf("%s mount -o statedir=/tmp/foreign/state,close,%s %s /mnt\necho last >/mnt/last\n%s umount /mnt\n%s info %s",
				burnfs, c.options, p.SR, burnfs, burnfs, p.SR))
			if !strings.Contains(out, "closed") {
				r.Errorf("the finalized disc is described as\n%s", out)
			}
			r.reprobe(p)
			if got := r.sh(quick, "mount -t iso9660 -o ro "+p.SR+" /mnt; cat /mnt/last; umount /mnt"); got != "last\n" {
				r.Errorf("the kernel reads %q from the last session", got)
			}
		})
	}
}
