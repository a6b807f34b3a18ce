//go:build linux && kernel

package kernel

import "burnfs/mmc/emu"

// foreignCD are programs that burn CD. What they cannot do themselves is left out: wodim
// and cdrskin write only the first session of a disc at once (wodim ignores where a later one
// begins, cdrskin refuses), wodim announces XA blocks in a cue sheet with a form
// that no drive knows, and growisofs does not burn CD at all.
func foreignCD() []foreign {
	cds := []emu.Media{emu.CDR, emu.CDRW}
	wodim := isoImage + "wodim dev=$SR -s -multi -gracetime=2 "
	cdrskin := isoImage + "cdrskin dev=$SR -s -multi "
	const toc = "wodim dev=$SR -toc 2>&1; wodim dev=$SR -atip 2>&1"
	return []foreign{
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
}
