//go:build linux && kernel

package kernel

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/mmc/emu"
)

// foreignBD are programs that burn Blu-ray, DVD+R, DVD+RW and DVD-RAM.
//
// On rewritable media there are sessions only in the file system. xorriso keeps
// all of them; growisofs and cdrskin put the descriptors of the newest in the
// place of the first's, so that nobody finds the others. A blank BD-R growisofs
// formats for pseudo-overwrite unless it is told not to, and then treats it like
// them.
func foreignBD() []foreign {
	sequential := []emu.Media{emu.BDR, emu.DVDPlusR}
	overwritable := []emu.Media{emu.BDRE, emu.DVDPlusRW, emu.DVDRAM}
	const (
		xorriso = "xorriso -dev $SR -joliet on -map $TREE/session$N /session$N -commit 2>&1"
		toc     = "xorriso -indev $SR -toc 2>&1"
		info    = "dvd+rw-mediainfo $SR 2>&1"
		grow    = "growisofs -use-the-force-luke=spare:none $([ $N = 1 ] && echo -Z || echo -M) $SR -R -J -quiet -graft-points session$N=$TREE/session$N 2>&1"
	)
	return []foreign{
		{
			name: "xorriso", media: sequential, script: xorriso, asks: []string{"cdrskin"},
			after: toc, says: []string{"3 sessions", "ISO session  :   3 ,", "is appendable"},
		},
		{
			name: "xorriso", media: overwritable, script: xorriso,
			after: toc, says: []string{"3 sessions", "ISO session  :   3 ,", "is appendable"},
		},
		{
			name: "cdrskin", media: sequential, script: isoImage + "cdrskin dev=$SR -s -multi $IMAGE", asks: []string{"cdrskin"},
			after: "cdrskin dev=$SR -minfo 2>&1", says: []string{"incomplete/appendable", "number of sessions:       4"},
		},
		{
			name: "cdrskin", media: overwritable, found: 1,
			script: `CDRSKIN="cdrskin dev=$SR -s --grow_overwriteable_iso"
MSINFO=$([ $N = 1 ] || $CDRSKIN -msinfo 2>/dev/null)` + isoImage + "$CDRSKIN -multi $IMAGE",
			after: "cdrskin dev=$SR -minfo 2>&1", says: []string{"Media is overwriteable"},
		},
		{
			name: "growisofs", media: sequential, script: grow, asks: []string{"cdrskin"},
			after: info, says: []string{"Disc status:           appendable", "Number of Sessions:    4", "State of Last Session: empty"},
		},
		{
			name: "growisofs", media: overwritable, script: grow, found: 1,
			after: info, says: []string{"State of Last Session: complete"},
		},
		{
			name: "growisofs pow", media: sequential[:1], script: strings.Replace(grow, "spare:none", "spare:min", 1), refused: "pseudo-overwrite",
			after: info, says: []string{"BD-R SRM+POW", "Number of Sessions:    1", "State of Last Session: incomplete"},
		},
	}
}

// TestForeignFormatters formats media with programs of others, in ways that they
// choose from what the drive offers. They and burnfs agree on the size, and burnfs
// burns a session on the result. (dvd+rw-format 7.1 refuses every BD-R.)
func TestForeignFormatters(t *testing.T) {
	const mib = 512 // blocks
	for _, c := range []struct {
		media  emu.Media
		sold   bool // not formatted yet
		steps  []string
		blocks []int // after each step
		says   string
	}{
		{emu.BDR, true, []string{"xorriso -outdev $SR -format by_index_3"}, []int{12088320}, "32h"},
		{emu.BDR, true, []string{"xorriso -outdev $SR -format by_index_0"}, []int{11826176}, "00h"},
		{emu.BDRE, true, []string{
			"xorriso -outdev $SR -format as_needed",
			"dvd+rw-format -ssa=min $SR",
			"xorriso -outdev $SR -format by_index_4",
			"dvd+rw-format -ssa=1G $SR",
		}, []int{11826176, 12088320, 12219392, 11711488}, "31h"},
		{emu.DVDPlusRW, true, []string{"dvd+rw-format $SR", "xorriso -outdev $SR -format full"}, []int{2295104, 2295104}, "26h"},
		{emu.DVDRAM, false, []string{"xorriso -outdev $SR -format by_index_1", "dvd+rw-format -format=full -ssa=default $SR"}, []int{2295072, 2236704}, "01h"},
	} {
		t.Run(string(c.media)+" "+c.steps[0], func(t *testing.T) {
			r := enter(t)
			burnfs := harness.Binary(t)
			p := r.playNew(c.media, emu.CreateOptions{Unformatted: c.sold}, nil)
			formats := r.sh(quick, "xorriso -outdev "+p.SR+" -list_formats 2>&1")
			if !strings.Contains(formats, c.says) {
				t.Errorf("format %s is not in the list:\n%s", c.says, formats)
			}
			r.sh(quick, "mkdir -p /tmp/format")
			r.Cleanup(func() { r.cleanup("rm -rf /tmp/format") })
			for i, step := range c.steps {
				out := r.sh(burnTime, "SR="+p.SR+"\n"+step+" 2>&1")
				theirs := r.sh(quick, "dvd+rw-mediainfo "+p.SR+" 2>&1; xorriso -outdev "+p.SR+" -list_formats 2>&1")
				for _, want := range []string{
					fmt.Sprintf("%d*2KB|formatted:\t\t%d*2048", c.blocks[i], c.blocks[i]),
					fmt.Sprintf("with %.1f MiB", float64(c.blocks[i])/mib),
				} {
					if c.media == emu.BDR && strings.HasPrefix(want, "with") {
						want = "Track Size:            " + fmt.Sprint(c.blocks[i])
					}
					if !containsAny(theirs, strings.Split(want, "|")) {
						t.Errorf("%q is not said after %s:\n%s%s", want, step, out, theirs)
					}
				}
				ours := r.sh(quick, burnfs+" info --json "+p.SR)
				if want := regexp.MustCompile(fmt.Sprintf(`"capacity_bytes": %d\b`, c.blocks[i]*2048)); !want.MatchString(ours) {
					t.Errorf("%v is not said after %s:\n%s", want, step, ours)
				}
			}
			out := r.sh(burnTime, burnfs+" mount -o statedir=/tmp/format/state "+p.SR+" /mnt\necho text >/mnt/file\n"+burnfs+" umount /mnt")
			if !strings.Contains(out, "Session 1 is burned and verified") {
				t.Errorf("umount says\n%s", out)
			}
			r.reprobe(p)
			if got := r.sh(quick, "mount -t iso9660 -o ro "+p.SR+" /mnt; cat /mnt/file; umount /mnt"); got != "text\n" {
				t.Errorf("the kernel reads %q", got)
			}
		})
	}
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
