package image

import (
	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// A continuation is the Continuation Area of one directory while it fills up:
// the blocks behind the directory's extent that hold the System Use entries for
// which its records have no room (SUSP 5.1).
//
// What belongs to one record is kept in one block where it can be, since Linux
// refuses an area that crosses into the next; entries that need more than one
// block begin a fresh one, and each block's part ends in a CE to the next.
type continuation struct {
	lba   uint32 // first block
	used  int64  // bytes
	parts []part // of the record at hand
}

// A part is what goes into one block for one record.
type part struct {
	at      int64 // bytes from the beginning of the area
	entries []byte
	size    int // bytes, with the CE to the next part
}

// maxParts is the number of continuation areas that Linux follows for one
// record (RR_MAX_CE_ENTRIES in fs/isofs/rock.c is where it stops).
const maxParts = 31

// put assigns places to entries and leaves them in parts.
func (c *continuation) put(entries []byte) {
	c.parts = c.parts[:0]
	if fill := int(c.used % iso9660.BlockSize); fill > 0 && len(entries) > iso9660.BlockSize-fill {
		c.used += int64(iso9660.BlockSize - fill)
	}
	for {
		n, size := len(entries), len(entries)
		if n > iso9660.BlockSize {
			n = susp.Fit(entries, iso9660.BlockSize-susp.SizeCE)
			size = n + susp.SizeCE
		}
		c.parts = append(c.parts, part{at: c.used, entries: entries[:n], size: size})
		c.used += int64(size)
		entries = entries[n:]
		if len(entries) == 0 {
			return
		}
		c.used = blocksOf(c.used) * iso9660.BlockSize
	}
}

// link is the CE that leads to the i-th part.
func (c *continuation) link(i int) susp.CE {
	p := c.parts[i]
	return susp.CE{
		LBA:    c.lba + uint32(p.at/iso9660.BlockSize),
		Offset: uint32(p.at % iso9660.BlockSize),
		Length: uint32(p.size),
	}
}

// appendPart appends the bytes of the i-th part.
func (c *continuation) appendPart(dst []byte, i int) []byte {
	dst = append(dst, c.parts[i].entries...)
	if i+1 < len(c.parts) {
		dst = susp.AppendCE(dst, c.link(i+1))
	}
	return dst
}
