package volume_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/nanotime"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/volume"
)

// Places in a handmade image.
const (
	rootLBA         = 20
	subLBA          = 22
	continuationLBA = 24
	dataLBA         = 26
	handmadeBlocks  = 40
)

// handmade is an image made record by record, to say what no producer says.
type handmade struct {
	t      testing.TB
	blocks []byte
	used   map[uint32]int // bytes used of a block
}

// newHandmade makes an image with descriptors and an empty root directory of one
// block; systemUse is that of the root's own record.
func newHandmade(t testing.TB, systemUse []byte) *handmade {
	h := &handmade{t: t, blocks: make([]byte, handmadeBlocks*iso9660.BlockSize), used: make(map[uint32]int)}
	p := iso9660.NewPrimary()
	p.SetVolumeSpaceSize(handmadeBlocks)
	p.SetRootRecord(iso9660.Record{Location: rootLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory})
	copy(h.block(16), p.Bytes())
	copy(h.block(17), iso9660.NewTerminator().Bytes())
	h.directory(rootLBA, rootLBA, systemUse)
	return h
}

// rockRidge is the System Use field of the root of a disc with Rock Ridge.
func rockRidge() []byte {
	return rrip.AppendPX(susp.AppendSP(nil, 0), rrip.PX{Mode: volume.ModeDirectory | 0o755, Links: 2})
}

func (h *handmade) block(lba uint32) []byte {
	return h.blocks[lba*iso9660.BlockSize:][:iso9660.BlockSize]
}

func (h *handmade) directory(lba, parent uint32, systemUse []byte) {
	record := iso9660.Record{Location: lba, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: iso9660.SelfIdentifier, SystemUse: systemUse}
	h.add(lba, record)
	record.Location, record.Identifier, record.SystemUse = parent, iso9660.ParentIdentifier, nil
	h.add(lba, record)
}

// add appends a record to the directory block at lba.
func (h *handmade) add(lba uint32, r iso9660.Record) {
	h.t.Helper()
	encoded, err := iso9660.AppendDirectoryRecord(nil, r)
	must(h.t, err)
	h.used[lba] += copy(h.block(lba)[h.used[lba]:], encoded)
}

func (h *handmade) file(identifier string, systemUse []byte) {
	h.t.Helper()
	h.add(rootLBA, iso9660.Record{Location: dataLBA, DataLength: 5, Identifier: identifier, SystemUse: systemUse})
}

func (h *handmade) open(opt volume.Options) *volume.Volume {
	h.t.Helper()
	return mustOpen(h.t, imageOf(h.blocks), 0, opt)
}

// readRoot lists the root directory: the entries and the errors.
func (h *handmade) readRoot() (entries []volume.Entry, errs []error) {
	h.t.Helper()
	v := h.open(volume.Options{})
	root, err := v.Root(context.Background())
	must(h.t, err)
	for e, err := range v.ReadDir(context.Background(), root.Directory()) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errs
}

func named(name string) []byte {
	return rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: volume.ModeRegular | 0o600, Links: 1}), name)
}

// TestBrokenEntries puts one broken thing between two good files: it is to be
// reported or hidden, and the good ones are to be there.
func TestBrokenEntries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		broken func(h *handmade)
		want   error // nil: hidden, or shown as shown says
		shown  string
	}{
		{
			name: "continuation in a circle", reason: "CE leads to itself", want: iso9660.ErrLoop,
			broken: func(h *handmade) {
				ce := susp.AppendCE(nil, susp.CE{LBA: continuationLBA, Length: susp.SizeCE})
				copy(h.block(continuationLBA), ce)
				h.file("BROKEN.;1", ce)
			},
		},
		{
			name: "continuation in a circle of two", reason: "each CE leads to the other", want: iso9660.ErrLoop,
			broken: func(h *handmade) {
				a := susp.CE{LBA: continuationLBA, Length: susp.SizeCE}
				b := susp.CE{LBA: continuationLBA, Offset: 100, Length: susp.SizeCE}
				copy(h.block(continuationLBA), susp.AppendCE(nil, b))
				copy(h.block(continuationLBA)[100:], susp.AppendCE(nil, a))
				h.file("BROKEN.;1", susp.AppendCE(nil, a))
			},
		},
		{
			name: "continuation of 4 GiB", reason: "memory is bounded", want: iso9660.ErrTooMuch,
			broken: func(h *handmade) {
				h.file("BROKEN.;1", susp.AppendCE(nil, susp.CE{LBA: continuationLBA, Length: 1<<32 - 1}))
			},
		},
		{
			name: "continuation beyond the medium", reason: "the BlockReader says so", want: errBeyondMedium,
			broken: func(h *handmade) {
				h.file("BROKEN.;1", susp.AppendCE(nil, susp.CE{LBA: 1 << 20, Length: 10}))
			},
		},
		{
			name: "continuation beyond any medium", reason: "addresses have 32 bits", want: iso9660.ErrOutside,
			broken: func(h *handmade) {
				h.file("BROKEN.;1", susp.AppendCE(nil, susp.CE{LBA: 1<<32 - 1, Offset: 4096, Length: 10}))
			},
		},
		{
			name: "entry too short", reason: "LEN of less than 4 would never end", want: iso9660.ErrLength,
			broken: func(h *handmade) { h.file("BROKEN.;1", []byte{'N', 'M', 3, 1, 0, 'x'}) },
		},
		{
			name: "entry too long", reason: "LEN beyond the record", want: iso9660.ErrTruncated,
			broken: func(h *handmade) { h.file("BROKEN.;1", []byte{'N', 'M', 200, 1, 0, 'x'}) },
		},
		{
			name: "component too long", reason: "LEN_CP beyond the SL", want: iso9660.ErrTruncated,
			broken: func(h *handmade) { h.file("BROKEN.;1", []byte{'S', 'L', 8, 1, 0, 0, 9, 'x'}) },
		},
		{
			name: "attributes cut off", reason: "a component that never ends", want: iso9660.ErrTruncated,
			broken: func(h *handmade) { h.file("BROKEN.;1", []byte{'A', 'L', 8, 1, 0, 0, 9, 'x'}) },
		},
		{
			name: "section beyond any medium", reason: "addresses have 32 bits", want: iso9660.ErrOutside,
			broken: func(h *handmade) {
				h.add(rootLBA, iso9660.Record{Location: 1<<32 - 2, DataLength: 3 * iso9660.BlockSize, Identifier: "BROKEN.;1"})
			},
		},
		{
			name: "relocated to nowhere", reason: "CL leads to a block that is no directory", want: nil, shown: "!",
			broken: func(h *handmade) { h.file("BROKEN.;1", rrip.AppendCL(nil, dataLBA)) },
		},
		{
			name: "sparse", reason: "what is recorded is not the content", want: nil, shown: "!",
			broken: func(h *handmade) {
				h.file("BROKEN.;1", rrip.AppendSF(named("sparse"), rrip.SF{Size: 1 << 40, Depth: 1}))
			},
		},
		{
			name: "interleaved", reason: "sections cannot express it", want: nil, shown: "!",
			broken: func(h *handmade) {
				h.file("BROKEN.;1", nil)
				h.block(rootLBA)[h.used[rootLBA]-iso9660.DirectoryRecordLength(len("BROKEN.;1"), 0)+26] = 1
			},
		},
		{
			name: "sections without the last", reason: "the next record has another identifier", want: nil, shown: "!",
			broken: func(h *handmade) {
				h.add(rootLBA, iso9660.Record{Location: dataLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagMultiExtent, Identifier: "BROKEN.;1"})
			},
		},
		{
			name: "hidden by RE", reason: "it is shown where CL is",
			broken: func(h *handmade) { h.file("BROKEN.;1", rrip.AppendRE(named("moved"))) },
		},
		{
			name: "associated file", reason: "Linux does not show them either",
			broken: func(h *handmade) {
				h.add(rootLBA, iso9660.Record{Location: dataLBA, DataLength: 9, Flags: iso9660.FlagAssociated, Identifier: "BROKEN.;1"})
			},
		},
		{
			name: "slash in a name", reason: "no name may lead elsewhere", shown: "_etc_passwd_",
			broken: func(h *handmade) { h.file("BROKEN.;1", named("/etc/passwd\x00")) },
		},
		{
			name: "dots as a name", reason: "the ISO name stands in", shown: "broken",
			broken: func(h *handmade) { h.file("BROKEN.;1", named("..")) },
		},
		{
			name: "name of 300 bytes", reason: "it is cut to what Linux lets through", shown: strings.Repeat("n", 255),
			broken: func(h *handmade) {
				encoded := named(strings.Repeat("n", 300))
				copy(h.block(continuationLBA), encoded)
				h.file("BROKEN.;1", susp.AppendCE(nil, susp.CE{LBA: continuationLBA, Length: uint32(len(encoded))}))
			},
		},
		{
			name: "no name at all", reason: "an identifier of which nothing is left; the file can be read nevertheless", shown: "_",
			broken: func(h *handmade) { h.file(".;1", nil) },
		},
		{
			name: "unknown entries", reason: "what is not known is skipped (SUSP 6.2)", shown: "known",
			broken: func(h *handmade) {
				h.file("BROKEN.;1", append(append([]byte{'Z', 'Z', 6, 1, 0, 0, 'A', 'A', 14, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, named("known")...), 0, 0, 0))
			},
		},
		{
			name: "types that contradict", reason: "whether it is a directory is for the record to say", shown: "file",
			broken: func(h *handmade) {
				h.file("BROKEN.;1", rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: volume.ModeDirectory | 0o755}), "file"))
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandmade(t, rockRidge())
			h.file("A.;1", named("before"))
			tt.broken(h)
			h.file("Z.;1", named("after"))
			entries, errs := h.readRoot()
			var names []string
			for _, e := range entries {
				names = append(names, e.Name)
				if !e.IsRegular() || e.Size != 5 {
					t.Errorf("entry %+v", e)
				}
			}
			want := []string{"before", "after"}
			if tt.shown != "" && tt.shown != "!" {
				want = []string{"before", tt.shown, "after"}
			}
			if !slices.Equal(names, want) {
				t.Errorf("entries %.100q, want %.100q (%s)", names, want, tt.reason)
			}
			wantErrors := 0
			if tt.want != nil || tt.shown == "!" {
				wantErrors = 1
			}
			if len(errs) != wantErrors {
				t.Fatalf("errors %v, want %d (%s)", errs, wantErrors, tt.reason)
			}
			for _, err := range errs {
				var format *iso9660.FormatError
				if !errors.As(err, &format) && tt.want != errBeyondMedium || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("error %v, want a FormatError of %v (%s)", err, tt.want, tt.reason)
				}
			}
		})
	}
}

// TestHandmadeDetails reads what the images of others do not have.
func TestHandmadeDetails(t *testing.T) {
	modify := time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.UTC)
	access := time.Date(2155, 12, 31, 23, 59, 59, 1, time.UTC)
	attributes := time.Date(1900, 1, 1, 0, 0, 1, 0, time.UTC)
	systemUse := named("all")
	systemUse = rrip.AppendTF(systemUse, modify, access, attributes)
	systemUse = nanotime.Append(systemUse, modify, access, attributes)
	systemUse = aaip.AppendAL(systemUse, []aaip.Attr{
		{Name: "user.a", Value: []byte("1")},
		{Name: checksum.IndexName, Value: checksum.AppendIndex(nil, 70000)},
	})
	h := newHandmade(t, rockRidge())
	h.file("ALL.;1", systemUse)
	entries, errs := h.readRoot()
	if len(errs) > 0 || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, errs)
	}
	e := entries[0]
	if !e.Mtime.Equal(modify) || !e.Atime.Equal(access) || !e.Ctime.Equal(attributes) {
		t.Errorf("times %v, %v, %v", e.Mtime, e.Atime, e.Ctime)
	}
	if e.ChecksumIndex != 70000 || len(e.Xattrs) != 1 || e.Xattrs[0].Name != "user.a" {
		t.Errorf("checksum %d, attributes %v", e.ChecksumIndex, e.Xattrs)
	}
	if e.RecordLBA != rootLBA || h.block(e.RecordLBA)[e.RecordOffset+33] != 'A' {
		t.Errorf("record at %d, %d", e.RecordLBA, e.RecordOffset)
	}
}

// TestSystemUseBehindXA reads a disc whose System Use fields begin with 14 bytes of
// CD-ROM XA, which SP says to skip.
func TestSystemUseBehindXA(t *testing.T) {
	xa := make([]byte, 14)
	copy(xa[6:], "XA")
	self := susp.AppendSP(slices.Clone(xa), 14)
	self = rrip.AppendPX(self, rrip.PX{Mode: volume.ModeDirectory | 0o751, Links: 2})
	h := newHandmade(t, self)
	h.file("A.;1", append(xa, named("behind")...))
	entries, errs := h.readRoot()
	if len(errs) > 0 || len(entries) != 1 || entries[0].Name != "behind" {
		t.Errorf("%v, %v", entries, errs)
	}
	root, err := h.open(volume.Options{}).Root(t.Context())
	if err != nil || root.Mode != volume.ModeDirectory|0o751 {
		t.Errorf("root %+v, %v", root, err)
	}
}

// TestDirectoriesInACircle walks a disc whose subdirectory has the root's extent,
// and one that has its own.
func TestDirectoriesInACircle(t *testing.T) {
	h := newHandmade(t, rockRidge())
	h.add(rootLBA, iso9660.Record{Location: subLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "SUB"})
	h.directory(subLBA, rootLBA, nil)
	h.add(subLBA, iso9660.Record{Location: rootLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "UP"})
	h.add(subLBA, iso9660.Record{Location: subLBA, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "SELF"})
	var visited, circles []string
	for at, err := range h.open(volume.Options{}).Walk(t.Context()) {
		visited = append(visited, at.Path)
		if errors.Is(err, iso9660.ErrLoop) {
			circles = append(circles, at.Path)
		} else if err != nil {
			t.Error(err)
		}
	}
	if want := []string{".", "sub", "sub/up", "sub/self"}; !slices.Equal(visited, want) {
		t.Errorf("visited %q, want %q", visited, want)
	}
	if want := []string{"sub/up", "sub/self"}; !slices.Equal(circles, want) {
		t.Errorf("circles %q, want %q", circles, want)
	}
}

// TestBlocksOfZeros checks that a directory that reads as zeros is no empty one.
func TestBlocksOfZeros(t *testing.T) {
	h := newHandmade(t, rockRidge())
	v := h.open(volume.Options{})
	n := 0
	for e, err := range v.ReadDir(t.Context(), volume.Directory{LBA: dataLBA, Size: 2 * iso9660.BlockSize}) {
		var format *iso9660.FormatError
		if !errors.As(err, &format) || format.LBA != dataLBA {
			t.Errorf("%v, %v", e, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	highSierra := make([]byte, 20*iso9660.BlockSize)
	copy(highSierra[16*iso9660.BlockSize+9:], "CDROM")
	noPrimary := make([]byte, 20*iso9660.BlockSize)
	copy(noPrimary[16*iso9660.BlockSize:], iso9660.NewTerminator().Bytes())
	smallBlocks := newHandmade(t, rockRidge())
	iso9660.PutBoth16(smallBlocks.block(16)[128:], 512)
	noRoot := newHandmade(t, rockRidge())
	clear(noRoot.block(rootLBA))
	for _, tt := range []struct {
		name   string
		image  []byte
		want   error
		format bool
	}{
		{name: "zeros", image: make([]byte, 20*iso9660.BlockSize), want: iso9660.ErrNotISO9660, format: true},
		{name: "High Sierra", image: highSierra, want: iso9660.ErrHighSierra, format: true},
		{name: "too short", image: make([]byte, 10*iso9660.BlockSize), want: errBeyondMedium},
		{name: "no primary descriptor", image: noPrimary, want: iso9660.ErrNoPrimary},
		{name: "blocks of 512 bytes", image: smallBlocks.blocks, want: iso9660.ErrBlockSize, format: true},
		{name: "root of zeros", image: noRoot.blocks, format: true},
	} {
		_, err := volume.Open(t.Context(), imageOf(tt.image), 0, volume.Options{})
		var format *iso9660.FormatError
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || errors.As(err, &format) != tt.format {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := volume.Open(t.Context(), imageOf(nil), 1<<32-1, volume.Options{}); err == nil {
		t.Error("a session at the last possible block was opened")
	}
}

func TestNoTerminator(t *testing.T) {
	h := newHandmade(t, rockRidge())
	clear(h.block(17))
	h.file("A.;1", named("a"))
	if entries, errs := h.readRoot(); len(entries) != 1 || len(errs) > 0 {
		t.Errorf("%v, %v", entries, errs)
	}
}

// badBlocks is an image some of whose blocks cannot be read.
type badBlocks struct {
	image
	bad   map[uint32]bool
	reads int
}

var errBadBlock = errors.New("medium error")

func (b *badBlocks) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	b.reads++
	for i := range uint32(len(p) / iso9660.BlockSize) {
		if b.bad[lba+i] {
			return errBadBlock
		}
	}
	return b.image.ReadBlocks(ctx, lba, p)
}

// TestBadBlocks reads a directory of several blocks some of which are bad: the
// entries in the others are there, and each run of bad blocks is told once.
func TestBadBlocks(t *testing.T) {
	source := sourceTree(t)
	good := produce(t, []string{"genisoimage", "-quiet", "-R", "-o", "IMAGE", "SOURCE"}, source)
	entry := walk(t, mustOpen(t, good, 0, volume.Options{}))["many"]
	many := entry.Directory()
	if many.Blocks() < 8 {
		t.Fatalf("the directory has %d blocks", many.Blocks())
	}
	r := &badBlocks{image: good, bad: map[uint32]bool{many.LBA + 2: true, many.LBA + 3: true, many.LBA + 6: true}}
	v := mustOpen(t, r, 0, volume.Options{})
	entries, errs := 0, 0
	for e, err := range v.ReadDir(t.Context(), many) {
		switch {
		case errors.Is(err, errBadBlock):
			errs++
		case err != nil:
			t.Error(err)
		default:
			entries++
			if bad := r.bad[e.RecordLBA]; bad {
				t.Errorf("%s is in a bad block", e.Name)
			}
		}
	}
	if errs != 2 {
		t.Errorf("%d errors, want one for each of two runs", errs)
	}
	if entries < 150 || entries >= 300 {
		t.Errorf("%d entries of 300", entries)
	}
}

// TestDirectoryOf4GiB bounds what a directory costs that claims to have 4 GiB on a
// medium that does not.
func TestDirectoryOf4GiB(t *testing.T) {
	h := newHandmade(t, rockRidge())
	r := &badBlocks{image: imageOf(h.blocks)}
	v := mustOpen(t, r, 0, volume.Options{})
	errs := 0
	for _, err := range v.ReadDir(t.Context(), volume.Directory{LBA: rootLBA, Size: 1<<32 - 1}) {
		if err != nil {
			errs++
		}
	}
	if errs == 0 || errs > 3 {
		t.Errorf("%d errors", errs)
	}
	if r.reads > 200 {
		t.Errorf("%d reads", r.reads)
	}
}

func TestCancelled(t *testing.T) {
	h := newHandmade(t, rockRidge())
	v := h.open(volume.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := volume.Open(ctx, imageOf(h.blocks), 0, volume.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	n := 0
	for _, err := range v.ReadDir(ctx, volume.Directory{LBA: rootLBA, Size: iso9660.BlockSize}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ReadDir: %v", err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("ReadDir yields %d times", n)
	}
}

// TestScatteredSections reads a file whose sections do not follow each other, as one
// has that was changed in the middle by a later session.
func TestScatteredSections(t *testing.T) {
	h := newHandmade(t, rockRidge())
	var want []byte
	for i, section := range []iso9660.Section{{LBA: dataLBA + 4, Size: iso9660.BlockSize}, {LBA: dataLBA, Size: 2 * iso9660.BlockSize}, {LBA: dataLBA + 3, Size: 7}} {
		flags := byte(iso9660.FlagMultiExtent)
		if i == 2 {
			flags = 0
		}
		h.add(rootLBA, iso9660.Record{
			Location: section.LBA, DataLength: uint32(section.Size), Flags: flags, Identifier: "SCATTERE.D;1", SystemUse: named("scattered"),
		})
		data := bytes.Repeat([]byte{byte('a' + i)}, int(section.Size))
		copy(h.blocks[section.LBA*iso9660.BlockSize:], data)
		want = append(want, data...)
	}
	h.file("Z.;1", named("after"))
	entries, errs := h.readRoot()
	if len(errs) > 0 || len(entries) != 2 || entries[0].Name != "scattered" || len(entries[0].Sections) != 3 || entries[0].Size != int64(len(want)) {
		t.Fatalf("%+v, %v", entries, errs)
	}
	if got := content(t, imageOf(h.blocks), entries[0]); !bytes.Equal(got, want) {
		t.Error("the content differs")
	}
	if entries[0].RecordOffset >= entries[1].RecordOffset {
		t.Errorf("the first record is at %d, the next entry's at %d", entries[0].RecordOffset, entries[1].RecordOffset)
	}
}
