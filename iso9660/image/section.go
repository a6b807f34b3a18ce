package image

import "burnfs/iso9660"

// appendSections appends the File Sections of a regular file whose new content
// begins at block fresh. Pieces that follow each other on the medium make one
// section, too long ones several.
func appendSections(dst []iso9660.Section, n *Node, fresh uint32) []iso9660.Section {
	begin := len(dst)
	for _, p := range n.Pieces {
		if p.Size == 0 {
			continue
		}
		lba := p.LBA
		if !p.Old {
			lba = fresh
			fresh += uint32(blocksOf(p.Size))
		}
		dst = appendRun(dst, begin, lba, p.Size)
	}
	return dst
}

// appendRun appends size bytes at lba, to the last section if they continue it.
// Sections before the index begin are none of this file's.
func appendRun(dst []iso9660.Section, begin int, lba uint32, size int64) []iso9660.Section {
	if i := len(dst) - 1; i >= begin {
		last := &dst[i]
		if last.Size%iso9660.BlockSize == 0 && int64(last.LBA)+last.Blocks() == int64(lba) {
			n := min(size, iso9660.MaxSectionSize-last.Size)
			last.Size += n
			lba += uint32(blocksOf(n))
			size -= n
		}
	}
	for size > 0 {
		n := min(size, iso9660.MaxSectionSize)
		dst = append(dst, iso9660.Section{LBA: lba, Size: n})
		lba += uint32(blocksOf(n))
		size -= n
	}
	return dst
}

// freshSections returns the sections that have to be written, and the offset in
// the file at which each begins.
func freshSections(n *Node, fresh uint32) (sections []iso9660.Section, offsets []int64) {
	var offset, run int64 // run is the length of the new pieces that end at offset
	flush := func() {
		for run > 0 {
			size := min(run, iso9660.MaxSectionSize)
			sections = append(sections, iso9660.Section{LBA: fresh, Size: size})
			offsets = append(offsets, offset-run)
			fresh += uint32(blocksOf(size))
			run -= size
		}
	}
	for _, p := range n.Pieces {
		if p.Old && p.Size > 0 {
			flush()
		}
		offset += p.Size
		if !p.Old {
			run += p.Size
		}
	}
	flush()
	return sections, offsets
}
