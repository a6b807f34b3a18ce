package volume_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/volume"
)

// bigImage makes an image with 1,000 directories of 100 files each. With long, the
// names are in Continuation Areas.
func bigImage(t testing.TB, long bool) []byte {
	t.Helper()
	const directories, files = 1000, 100
	const rootBlocks, blocksPerDirectory = 80, 20
	image := make([]byte, (rootLBA+rootBlocks+directories*blocksPerDirectory)*iso9660.BlockSize)
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	extent := func(lba, blocks uint32) (add func(r iso9660.Record)) {
		used := 0
		area := image[lba*iso9660.BlockSize : (lba+blocks)*iso9660.BlockSize]
		return func(r iso9660.Record) {
			r.Time = when
			b, err := iso9660.AppendDirectoryRecord(nil, r)
			must(t, err)
			if used%iso9660.BlockSize+len(b) > iso9660.BlockSize {
				used += -used & (iso9660.BlockSize - 1)
			}
			used += copy(area[used:], b)
		}
	}
	attributes := func(mode uint32) []byte {
		px := rrip.AppendPX(nil, rrip.PX{Mode: mode, Links: 1, HasSerial: true, Serial: 7})
		return rrip.AppendTF(px, when, when, when)
	}
	root := iso9660.Record{Location: rootLBA, DataLength: rootBlocks * iso9660.BlockSize, Flags: iso9660.FlagDirectory}
	p := iso9660.NewPrimary()
	p.SetRootRecord(root)
	copy(image[16*iso9660.BlockSize:], p.Bytes())
	copy(image[17*iso9660.BlockSize:], iso9660.NewTerminator().Bytes())
	addRoot := extent(rootLBA, rootBlocks)
	root.Identifier, root.SystemUse = iso9660.SelfIdentifier, append(susp.AppendSP(nil, 0), attributes(volume.ModeDirectory|0o755)...)
	addRoot(root)
	for d := range uint32(directories) {
		lba := rootLBA + rootBlocks + d*blocksPerDirectory
		dir := iso9660.Record{Location: lba, DataLength: 9 * iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: fmt.Sprintf("DIR%04d", d)}
		dir.SystemUse = rrip.AppendNM(attributes(volume.ModeDirectory|0o755), fmt.Sprintf("directory-%04d", d))
		addRoot(dir)
		dir.Identifier = iso9660.SelfIdentifier
		add := extent(lba, 9)
		add(dir)
		continuation := uint32(0)
		for f := range uint32(files) {
			file := iso9660.Record{Location: 1000, DataLength: 100, Identifier: fmt.Sprintf("FILE%04d.;1", f)}
			name := rrip.AppendNM(nil, fmt.Sprintf("a-file-with-number-%04d.txt", f))
			file.SystemUse = attributes(volume.ModeRegular | 0o644)
			if long {
				name = rrip.AppendNM(nil, fmt.Sprintf("%04d%s", f, strings.Repeat("n", 170)))
				ce := susp.CE{LBA: lba + 9 + continuation/iso9660.BlockSize, Offset: continuation % iso9660.BlockSize, Length: uint32(len(name))}
				if ce.Offset+ce.Length > iso9660.BlockSize {
					continuation += -continuation & (iso9660.BlockSize - 1)
					ce.LBA, ce.Offset = ce.LBA+1, 0
				}
				copy(image[(lba+9)*iso9660.BlockSize+continuation:], name)
				continuation += ce.Length
				file.SystemUse = susp.AppendCE(file.SystemUse, ce)
			} else {
				file.SystemUse = append(file.SystemUse, name...)
			}
			add(file)
		}
	}
	return image
}

// BenchmarkWalk is what find does on 101,001 entries.
func BenchmarkWalk(b *testing.B) {
	for _, long := range []bool{false, true} {
		name := "short names"
		if long {
			name = "names in continuation areas"
		}
		b.Run(name, func(b *testing.B) {
			v := mustOpen(b, imageOf(bigImage(b, long)), 0, volume.Options{})
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for at, err := range v.Walk(b.Context()) {
					must(b, err)
					_ = at
					n++
				}
				if n != 101_001 {
					b.Fatalf("%d entries", n)
				}
			}
		})
	}
}

// TestWalkAllocations bounds the allocations for an entry: its name, its path, and
// a share of what entries have in common.
func TestWalkAllocations(t *testing.T) {
	v := mustOpen(t, imageOf(bigImage(t, false)), 0, volume.Options{})
	perWalk := testing.AllocsPerRun(1, func() {
		for _, err := range v.Walk(t.Context()) {
			must(t, err)
		}
	})
	if perEntry := perWalk / 101_001; perEntry > 2.5 {
		t.Errorf("%.2f allocations per entry", perEntry)
	}
}
