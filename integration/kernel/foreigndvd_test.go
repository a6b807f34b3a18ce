//go:build linux && kernel

package kernel

import "burnfs/mmc/emu"

// foreignDVD are programs that burn DVD-R, DVD-RW in both of its states, and two
// layers of DVD+R. wodim writes one session, at once, and closes the disc. On a
// DVD-RW that is overwritten only xorriso leaves a trace of earlier sessions.
func foreignDVD() []foreign {
	const (
		growisofs = "growisofs -$([ $N = 1 ] && echo Z || echo M) $SR -quiet -R -J -V FOREIGN -graft-points session$N=$TREE/session$N 2>&1"
		xorriso   = "xorriso -dev $SR -joliet on -map $TREE/session$N /session$N -commit 2>&1"
		cdrskin   = isoImage + "cdrskin dev=$SR -s -multi $IMAGE"
		mediainfo = "dvd+rw-mediainfo $SR 2>&1"
	)
	cdrskinKnows := []string{"cdrskin"}
	appendable := []string{"appendable", "Number of Sessions:    4", "Multi-session Info:    #3@"}
	overwritten := []string{"DVD-RW Restricted Overwrite", "complete"}
	return []foreign{
		{
			name: "growisofs", media: []emu.Media{emu.DVDR, emu.DVDRW, emu.DVDPlusRDL}, script: growisofs,
			asks: cdrskinKnows, after: mediainfo, says: appendable,
		},
		{
			name: "xorriso", media: []emu.Media{emu.DVDR, emu.DVDRW, emu.DVDPlusRDL}, script: xorriso,
			asks: cdrskinKnows, after: mediainfo, says: appendable,
		},
		{
			name: "cdrskin", media: []emu.Media{emu.DVDR, emu.DVDRW}, script: cdrskin,
			asks: cdrskinKnows, after: "cdrskin dev=$SR -minfo 2>&1", says: []string{"incomplete/appendable", "number of sessions:       4"},
		},
		{
			name: "wodim dao", media: []emu.Media{emu.DVDR, emu.DVDRW}, script: isoImage + "wodim dev=$SR -s -gracetime=2 -dao -data $IMAGE",
			once: true, refused: "finalized", after: mediainfo, says: []string{"complete", "Number of Sessions:    1"},
		},
		{
			name: "growisofs", media: []emu.Media{emu.DVDRWOverwrite}, script: growisofs, found: 1,
			after: mediainfo, says: overwritten,
			blank: "dvd+rw-format -blank=full $SR 2>&1",
		},
		{
			name: "growisofs after dvd+rw-format", media: []emu.Media{emu.DVDRW}, before: "dvd+rw-format -force $SR 2>&1", script: growisofs, found: 1,
			after: mediainfo, says: overwritten,
		},
		{
			name: "xorriso", media: []emu.Media{emu.DVDRWOverwrite}, script: xorriso,
			after: mediainfo, says: overwritten,
		},
		{
			name: "xorriso after cdrskin has formatted", media: []emu.Media{emu.DVDRW}, before: "cdrskin dev=$SR -s blank=format_overwrite 2>&1", script: xorriso,
			after: mediainfo, says: overwritten,
			blank: "cdrskin dev=$SR -s blank=deformat_sequential 2>&1",
		},
	}
}
