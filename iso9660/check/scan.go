package check

import (
	"burnfs/iso9660"
)

// A record is a Directory Record and where it is.
type record struct {
	iso9660.DirectoryRecord
	where
}

// scan hands out the records of directory i, each good until the next one.
func (t *tree) scan(i int, use func(record) bool) {
	d := t.dirs[i]
	at := where{dir: i, lba: d.lba}
	if d.size%iso9660.BlockSize != 0 {
		t.report(DirectoryLength, at, "the directory has %d bytes, which are no whole blocks", d.size)
	}
	bad := func(lba int64, err error) {
		t.dirs[i].damaged = true
		t.report(Unreadable, where{dir: i, lba: uint32(lba)}, "a block of the directory cannot be read: %v", err)
	}
	t.window(t.scanning, int64(d.lba), d.blocks(), bad, func(lba int64, p []byte) bool {
		// Directories that do not overlap are not longer than the medium.
		if t.readBlocks += int64(len(p) / iso9660.BlockSize); t.readBlocks > t.highest {
			if !t.exhausted {
				t.report(Limit, at, "the directories read so far are longer than the medium, so they overlap; further ones are not checked")
			}
			t.exhausted = true
		}
		if t.exhausted {
			return false
		}
		for ; len(p) > 0; p, lba = p[iso9660.BlockSize:], lba+1 {
			block := p[:iso9660.BlockSize]
			begin := (lba - int64(d.lba)) * iso9660.BlockSize
			if rest := int64(d.size) - begin; rest < int64(len(block)) {
				block = block[:rest]
			}
			if !t.block(block, where{dir: i, lba: uint32(lba), record: uint32(begin)}, use) {
				return false
			}
		}
		return true
	})
}

// block hands out the records of a block. Where one is broken, the next that can
// be found is the first of the following block.
func (t *tree) block(block []byte, at where, use func(record) bool) bool {
	begin := at.record
	for offset := 0; offset < len(block); {
		at.offset, at.record = offset, begin+uint32(offset)
		if block[offset] == 0 {
			if !isZero(block[offset:]) {
				t.report(DirectoryGap, at, "bytes that are not zero follow the last record of the block; records may be hidden by a length of zero")
			}
			return true
		}
		r, err := iso9660.ParseDirectoryRecord(block[offset:])
		if err != nil {
			t.dirs[at.dir].damaged = true
			t.report(DirectoryRecord, at, "the record is broken: %v; what follows it in the block is not checked", err)
			return true
		}
		if !use(record{r, at}) || t.done() {
			return false
		}
		offset += r.Length()
	}
	return true
}
