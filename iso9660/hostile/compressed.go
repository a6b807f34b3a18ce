package hostile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/zisofs/zisofstest"
)

// compressed are lies of ZF entries, and of the headers, the pointers and the blocks of
// the files that have them. A file whose entry makes no sense is shown as it is recorded;
// of one whose blocks do not, these cannot be read.
func compressed() []Row {
	le := binary.LittleEndian
	content := bytes.Repeat([]byte("compressed "), 10_000) // four blocks of 32 KiB
	row := func(name, reason string, version int, change func(zf, recorded []byte) []byte) Row {
		return Row{Name: name, Reason: reason, lie: func(d *Disc, dir *Dir) {
			recorded, entry := zisofstest.Compress(d.t, content, version, 15)
			recorded = change(entry[:], recorded)
			dir.Add(iso9660.Record{
				Location: d.Put(recorded), DataLength: uint32(len(recorded)), Identifier: "LIE.;1", SystemUse: entry.Append(named("lie")),
			})
		}}
	}
	entry := func(name, reason string, version int, change func(zf []byte)) Row {
		return row(name, reason, version, func(zf, recorded []byte) []byte { change(zf); return recorded })
	}
	inside := func(name, reason string, version int, change func(recorded []byte)) Row {
		return row(name, reason, version, func(_, recorded []byte) []byte { change(recorded); return recorded })
	}
	return []Row{
		entry("compressed, of version 0", "nobody knows how", 1, func(zf []byte) { zf[3] = 0 }),
		entry("compressed in no known way", "likewise", 1, func(zf []byte) { copy(zf[4:], "??") }),
		entry("compressed blocks of 2^255 bytes", "nor is there such a number", 1, func(zf []byte) { zf[7] = 255 }),
		entry("compressed blocks of no bytes", "likewise", 1, func(zf []byte) { zf[7] = 0 }),
		entry("compressed header of no bytes", "something has to be there", 1, func(zf []byte) { zf[6] = 0 }),
		entry("compressed header of a KiB", "the header says something else", 1, func(zf []byte) { zf[6] = 255 }),
		entry("compressed, of 4 GiB", "the pointers to that do not fit", 1, func(zf []byte) { iso9660.PutBoth32(zf[8:], 1<<32-1) }),
		entry("compressed, of 2^64-1 bytes", "a sum overflows", 2, func(zf []byte) { le.PutUint64(zf[8:], 1<<64-1) }),
		entry("compressed, a byte more", "the header says something else", 1, func(zf []byte) { iso9660.PutBoth32(zf[8:], uint32(len(content)+1)) }),
		entry("compressed, of no bytes", "likewise", 1, func(zf []byte) { iso9660.PutBoth32(zf[8:], 0) }),
		inside("compressed without the header", "what is there is something else", 1, func(recorded []byte) { clear(recorded[:8]) }),
		inside("compressed, with another header", "the entry says something else", 2, func(recorded []byte) { recorded[11] = 20 }),
		inside("compressed blocks from back to front", "a block ends before it begins", 1, func(recorded []byte) {
			first, last := bytes.Clone(recorded[16:20]), recorded[32:36]
			copy(recorded[16:], last)
			copy(last, first)
		}),
		inside("compressed blocks beyond the file", "it has an end", 1, func(recorded []byte) { le.PutUint32(recorded[32:], 1<<32-1) }),
		inside("compressed blocks beyond 64 bits", "a sum overflows", 2, func(recorded []byte) { le.PutUint64(recorded[32:], 1<<64-1) }),
		inside("compressed blocks in the pointers", "they are no data", 1, func(recorded []byte) { le.PutUint32(recorded[16:], 16) }),
		inside("compressed blocks of garbage", "no checksum is right", 1, func(recorded []byte) {
			for i := range recorded[36:] {
				recorded[36+i] ^= 0x55
			}
		}),
		row("compressed block of a MiB", "no more than a block is decoded", 1, func(_, recorded []byte) []byte {
			return replaceBlocks(recorded[:36], make([]byte, 1<<20))
		}),
		row("compressed block of a byte", "the rest of the block is not there", 1, func(_, recorded []byte) []byte {
			return replaceBlocks(recorded[:36], []byte{1})
		}),
		row("compressed, but cut off", "the pointers do not fit", 1, func(_, recorded []byte) []byte { return recorded[:30] }),
		{Name: "compressed, of 128 GiB", Reason: "a pointer to no bytes is a block of zeros", lie: func(d *Disc, dir *Dir) {
			const log2, blocks = 20, 1 << 17
			recorded, zf := zisofstest.Compress(d.t, nil, 2, log2)
			le.PutUint64(zf[8:], blocks<<log2)
			le.PutUint64(recorded[12:], blocks<<log2)
			recorded = append(recorded[:24], make([]byte, 8*(blocks+1))...)
			dir.Add(iso9660.Record{
				Location: d.Put(recorded), DataLength: uint32(len(recorded)), Identifier: "LIE.;1", SystemUse: zf.Append(named("lie")),
			})
		}},
		{Name: "compressed link", Reason: "only files are", lie: func(d *Disc, dir *Dir) {
			_, zf := zisofstest.Compress(d.t, content, 1, 15)
			px := rrip.AppendPX(nil, rrip.PX{Mode: modeSymlink, Links: 1})
			dir.Add(iso9660.Record{Identifier: "LINK", SystemUse: zf.Append(rrip.AppendSL(rrip.AppendNM(px, "link"), "target"))})
		}},
	}
}

// replaceBlocks is a header and pointers with four blocks that are all content.
func replaceBlocks(recorded, content []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(content) // into memory
	_ = z.Close()
	recorded = bytes.Clone(recorded)
	for i := range 5 {
		binary.LittleEndian.PutUint32(recorded[16+4*i:], uint32(len(recorded)))
		if i < 4 {
			recorded = append(recorded, b.Bytes()...)
		}
	}
	return recorded
}
