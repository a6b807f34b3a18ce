// Package zisofstest makes compressed files for tests. It writes the formats down a
// second time, from their descriptions, so that package zisofs is not its own judge;
// mkzftree and xorriso are the others.
package zisofstest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"testing"

	"burnfs/iso9660/zisofs"
)

// Compress returns what is recorded of data in the given version, 1 or 2, with blocks
// of 1<<log2 bytes, and its ZF entry.
func Compress(t testing.TB, data []byte, version, log2 int) (recorded []byte, zf zisofs.ZF) {
	t.Helper()
	le, be := binary.LittleEndian, binary.BigEndian
	n := (len(data) + 1<<log2 - 1) >> log2
	header := []byte{0x37, 0xE4, 0x53, 0x96, 0xC9, 0xDB, 0xD6, 0x07}
	entry := []byte{'Z', 'F', 16, byte(version)}
	width := 4
	if version == 1 {
		header = le.AppendUint32(header, uint32(len(data)))
		header = append(header, 4, byte(log2), 0, 0)
		entry = append(entry, 'p', 'z', 4, byte(log2))
		entry = be.AppendUint32(le.AppendUint32(entry, uint32(len(data))), uint32(len(data)))
	} else {
		width = 8
		header = []byte{0xEF, 0x22, 0x55, 0xA1, 0xBC, 0x1B, 0x95, 0xA0, 0, 6, 1, byte(log2)}
		header = le.AppendUint64(header, uint64(len(data)))
		header = append(header, 0, 0, 0, 0)
		entry = append(entry, 'P', 'Z', 6, byte(log2))
		entry = le.AppendUint64(entry, uint64(len(data)))
	}
	pointers := make([]byte, 0, (n+1)*width)
	var blocks bytes.Buffer
	point := func() {
		at := uint64(len(header) + (n+1)*width + blocks.Len())
		if width == 4 {
			pointers = le.AppendUint32(pointers, uint32(at))
		} else {
			pointers = le.AppendUint64(pointers, at)
		}
	}
	point()
	for ; len(data) > 0; point() {
		block := data[:min(len(data), 1<<log2)]
		data = data[len(block):]
		if len(bytes.Trim(block, "\x00")) == 0 {
			continue
		}
		w := zlib.NewWriter(&blocks)
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	recorded = append(append(header, pointers...), blocks.Bytes()...)
	return recorded, zisofs.ZF(entry)
}
