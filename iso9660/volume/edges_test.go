package volume_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/volume"
)

// TestBrokenRecord spoils a record in the first of two blocks: the entries before it
// and those of the second block are there.
func TestBrokenRecord(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(record []byte)
		want  error
	}{
		{"identifier too long", func(r []byte) { r[32] = 200 }, iso9660.ErrLength},
		{"too short", func(r []byte) { r[0] = 20 }, iso9660.ErrLength},
		{"no identifier", func(r []byte) { r[32] = 0 }, iso9660.ErrLength},
	} {
		h := newHandmade(t, rockRidge())
		h.file("A.;1", named("before"))
		broken := h.used[rootLBA]
		h.file("B.;1", named("broken"))
		h.file("C.;1", named("behind"))
		tt.spoil(h.block(rootLBA)[broken:])
		h.used[rootLBA+1] = 0
		h.add(rootLBA+1, iso9660.Record{Location: dataLBA, DataLength: 5, Identifier: "D.;1", SystemUse: named("next block")})
		v := h.open(volume.Options{})
		var names []string
		var errs []error
		for e, err := range v.ReadDir(t.Context(), volume.Directory{LBA: rootLBA, Size: 2 * iso9660.BlockSize}) {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			names = append(names, e.Name)
		}
		if !slices.Contains(names, "before") || !slices.Contains(names, "next block") || slices.Contains(names, "broken") {
			t.Errorf("%s: %q", tt.name, names)
		}
		if len(errs) != 1 || !errors.Is(errs[0], tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, errs, tt.want)
		}
	}
}

// TestUnfinishedAtTheEnd ends a directory with a record that says that another one
// follows.
func TestUnfinishedAtTheEnd(t *testing.T) {
	h := newHandmade(t, rockRidge())
	h.add(rootLBA, iso9660.Record{Location: dataLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagMultiExtent, Identifier: "A.;1"})
	if entries, errs := h.readRoot(); len(entries) != 0 || len(errs) != 1 {
		t.Errorf("%v, %v", entries, errs)
	}
}

// TestStopEarly leaves the loop over a directory, and over a walk, at each step.
func TestStopEarly(t *testing.T) {
	h := newHandmade(t, rockRidge())
	h.file("A.;1", named("a"))
	h.file("B.;1", []byte{'N', 'M', 3, 1})
	h.add(rootLBA, iso9660.Record{Location: subLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "SUB"})
	h.directory(subLBA, rootLBA, nil)
	h.add(subLBA, iso9660.Record{Location: dataLBA, DataLength: 5, Identifier: "IN.;1"})
	h.add(rootLBA, iso9660.Record{Location: dataLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagMultiExtent, Identifier: "Z.;1"})
	v := h.open(volume.Options{})
	for stop := 1; stop <= 4; stop++ {
		n := 0
		for range v.ReadDir(t.Context(), volume.Directory{LBA: rootLBA, Size: iso9660.BlockSize}) {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("ReadDir yields %d times, want %d", n, stop)
		}
	}
	for stop := 1; stop <= 6; stop++ {
		n := 0
		for range v.Walk(t.Context()) {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("Walk yields %d times, want %d", n, stop)
		}
	}
}

// TestFindingRockRidge varies what the root's own record says.
func TestFindingRockRidge(t *testing.T) {
	sp := susp.AppendSP(nil, 0)
	for _, tt := range []struct {
		name      string
		reason    string
		systemUse []byte
		want      volume.TreeKind
	}{
		{"nothing", "a plain disc", nil, volume.Plain},
		{"SP and ER", "the ER announces it", susp.AppendER(slices.Clone(sp), susp.ER{Version: 1, Identifier: rrip.Identifier1991}), volume.RockRidge},
		{"SP and ER of 1.12", "likewise", susp.AppendER(slices.Clone(sp), susp.ER{Version: 1, Identifier: rrip.IdentifierP1282}), volume.RockRidge},
		{"SP and PX", "the ER may be lost", rockRidge(), volume.RockRidge},
		{"SP and another ER", "another extension", susp.AppendER(slices.Clone(sp), susp.ER{Version: 1, Identifier: "OTHER"}), volume.Plain},
		{"PX without SP", "the field is not shared by SUSP", rrip.AppendPX(nil, rrip.PX{}), volume.Plain},
		{"SP and rubbish", "the field is damaged", append(slices.Clone(sp), 'X', 'X', 1, 1), volume.Plain},
	} {
		h := newHandmade(t, tt.systemUse)
		if got := h.open(volume.Options{}).Tree(); got != tt.want {
			t.Errorf("%s: %v, want %v (%s)", tt.name, got, tt.want, tt.reason)
		}
		if got := h.open(volume.Options{NoRockRidge: true}).Tree(); got != volume.Plain {
			t.Errorf("%s, without Rock Ridge: %v", tt.name, got)
		}
	}
}

// TestBrokenPrimaryRoot opens a disc whose primary tree is gone and whose Joliet tree
// is not.
func TestBrokenPrimaryRoot(t *testing.T) {
	for name, spoil := range map[string]func(h *handmade){
		"root block of zeros":   func(h *handmade) { clear(h.block(rootLBA)) },
		"no root in descriptor": func(h *handmade) { clear(h.block(16)[156:190]) },
		"root is no directory":  func(h *handmade) { h.block(16)[156+25] = 0 },
	} {
		h := newHandmade(t, rockRidge())
		spoil(h)
		if _, err := volume.Open(t.Context(), imageOf(h.blocks), 0, volume.Options{}); err == nil {
			t.Errorf("%s: opened", name)
		}
		joliet := iso9660.NewJoliet()
		joliet.SetVolumeIdentifier("Joliet")
		joliet.SetRootRecord(iso9660.Record{Location: subLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory})
		copy(h.block(17), joliet.Bytes())
		copy(h.block(18), iso9660.NewTerminator().Bytes())
		h.directory(subLBA, subLBA, nil)
		h.add(subLBA, iso9660.Record{Location: dataLBA, DataLength: 5, Identifier: string(iso9660.AppendUCS2(nil, "Name;1"))})
		v := h.open(volume.Options{})
		if got := paths(t, v); v.Tree() != volume.Joliet || !slices.Equal(got, []string{"/Name"}) {
			t.Errorf("%s: %v, %q", name, v.Tree(), got)
		}
		if v.Damage() == nil {
			t.Errorf("%s: nothing is damaged", name)
		}
		if d, ok := v.Joliet(); !ok || d.VolumeIdentifier() != "Joliet" {
			t.Errorf("%s: the Joliet descriptor is %q, %v", name, d.VolumeIdentifier(), ok)
		}
		if v.Primary().VolumeSpaceSize() != handmadeBlocks {
			t.Errorf("%s: volume space size %d", name, v.Primary().VolumeSpaceSize())
		}
		if _, err := volume.Open(t.Context(), imageOf(h.blocks), 0, volume.Options{NoJoliet: true}); err == nil {
			t.Errorf("%s: opened without Joliet", name)
		}
	}
}

// TestBrokenRockRidge: Rock Ridge is announced, and what follows cannot be read.
func TestBrokenRockRidge(t *testing.T) {
	h := newHandmade(t, rockRidge())
	if v := h.open(volume.Options{}); v.Tree() != volume.RockRidge || v.Damage() != nil {
		t.Fatalf("%v, %v", v.Tree(), v.Damage())
	}
	self, err := iso9660.ParseDirectoryRecord(h.block(rootLBA))
	must(t, err)
	self.SystemUse()[susp.SizeSP+2] = 1 // the length of the second entry
	if v := h.open(volume.Options{}); v.Tree() != volume.Plain || !errors.Is(v.Damage(), iso9660.ErrLength) {
		t.Errorf("%v, %v", v.Tree(), v.Damage())
	}
}

func TestTreeKindNames(t *testing.T) {
	for kind, want := range map[volume.TreeKind]string{volume.RockRidge: "Rock Ridge", volume.Joliet: "Joliet", volume.Enhanced: "ISO 9660:1999", volume.Plain: "ISO 9660"} {
		if kind.String() != want {
			t.Errorf("%q, want %q", kind, want)
		}
	}
}

// TestBrokenChecksumArea records nonsense in isofs.ca of the root.
func TestBrokenChecksumArea(t *testing.T) {
	for name, value := range map[string][]byte{
		"cut off":           {4, 0, 0},
		"another algorithm": checksum.AppendArea(nil, checksum.Area{Count: 2, Size: 20, Type: "SHA"}),
	} {
		h := newHandmade(t, aaip.AppendAL(rockRidge(), []aaip.Attr{{Name: checksum.AreaName, Value: value}}))
		array, err := h.open(volume.Options{}).Checksums(t.Context())
		var format *iso9660.FormatError
		if array != nil || !errors.As(err, &format) {
			t.Errorf("%s: %v, %v", name, array, err)
		}
	}
	h := newHandmade(t, aaip.AppendAL(rockRidge(), []aaip.Attr{{Name: "user.other", Value: nil}}))
	if array, err := h.open(volume.Options{}).Checksums(t.Context()); array != nil || err != nil {
		t.Errorf("no isofs.ca: %v, %v", array, err)
	}
	root, err := h.open(volume.Options{}).Root(t.Context())
	if err != nil || len(root.Xattrs) != 1 || root.Xattrs[0].Name != "user.other" {
		t.Errorf("attributes of the root: %v, %v", root.Xattrs, err)
	}
}

func TestDirectoryBeyondAnyMedium(t *testing.T) {
	v := newHandmade(t, rockRidge()).open(volume.Options{})
	n := 0
	for _, err := range v.ReadDir(t.Context(), volume.Directory{LBA: 1<<32 - 1, Size: 2 * iso9660.BlockSize}) {
		if !errors.Is(err, iso9660.ErrOutside) {
			t.Error(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

// TestDeepDisc nests 2,100 directories, more than a path can have.
func TestDeepDisc(t *testing.T) {
	const levels = 2100
	h := newHandmade(t, rockRidge())
	h.blocks = append(h.blocks, make([]byte, levels*iso9660.BlockSize)...)
	parent := uint32(rootLBA)
	for i := range uint32(levels) {
		lba := handmadeBlocks + i
		h.add(parent, iso9660.Record{Location: lba, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "D"})
		h.directory(lba, parent, nil)
		parent = lba
	}
	deepest, tooDeep := 0, 0
	for at, err := range h.open(volume.Options{}).Walk(t.Context()) {
		deepest = max(deepest, at.Depth)
		if errors.Is(err, iso9660.ErrTooMuch) {
			tooDeep++
		} else if err != nil {
			t.Error(err)
		}
		if strings.Count(at.Path, "/") != max(at.Depth-1, 0) {
			t.Errorf("%.20q at depth %d", at.Path, at.Depth)
		}
	}
	if deepest != 2048 || tooDeep != 1 {
		t.Errorf("deepest %d, %d errors", deepest, tooDeep)
	}
}

// TestDeepDiscOfLongNames has directories whose paths together are a hundred times
// longer than the disc, each at hand when the deepest one is reached.
func TestDeepDiscOfLongNames(t *testing.T) {
	const levels, long = 2000, 120
	h := newHandmade(t, rockRidge())
	h.blocks = append(h.blocks, make([]byte, levels*iso9660.BlockSize)...)
	parent := uint32(rootLBA)
	for i := range uint32(levels) {
		lba := handmadeBlocks + i
		h.add(parent, iso9660.Record{
			Location: lba, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "D",
			SystemUse: rrip.AppendNM(nil, fmt.Sprintf("%0*d", long, i)),
		})
		h.directory(lba, parent, nil)
		parent = lba
	}
	v := h.open(volume.Options{})
	before, most := heap(), int64(0)
	for at, err := range v.Walk(t.Context()) {
		must(t, err)
		if name := at.Entry.Name; at.Depth > 0 && !strings.HasSuffix("/"+at.Path, "/"+name) || len(at.Path) > 4096+len("…") {
			t.Fatalf("%q at %q", name, at.Path)
		}
		if whole := at.Depth*(long+1) - 1; at.Depth > 0 && whole <= 4096 && len(at.Path) != whole {
			t.Fatalf("at depth %d, a path of %d bytes is given with %d", at.Depth, whole, len(at.Path))
		}
		if at.Depth == levels {
			most = heap() - before
		}
	}
	if most == 0 || most > aside {
		t.Errorf("%d bytes of memory at the deepest directory", most)
	}
}
