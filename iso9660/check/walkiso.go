package check

import (
	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// walkISO checks the directories of the primary tree.
func (c *checker) walkISO() *tree {
	t := &tree{checker: c}
	lba := c.start + iso9660.FirstDescriptor
	t.findRockRidge(lba)
	t.walk(c.primary, lba)
	return t
}

// findRockRidge looks at the first record of the root, which tells whether the
// protocol is in use and what precedes the entries of the other records (SUSP 5.3).
func (t *tree) findRockRidge(lba uint32) {
	r, err := t.primary.RootRecord()
	if err != nil {
		return
	}
	block := make([]byte, iso9660.BlockSize)
	root := r.Section().LBA
	if t.read(int64(root), block) != nil {
		return
	}
	self, err := iso9660.ParseDirectoryRecord(block)
	if err != nil {
		return
	}
	area := self.SystemUse()
	at := where{lba: root}
	_, skip, ok := susp.FindSP(area)
	t.rockRidge, t.skip = ok, skip
	if !ok {
		// Where entries of Rock Ridge follow, SP is damaged, and readers show
		// the bare ISO 9660 tree. The rest is checked as if it were not.
		for e, rest, err := susp.Next(area); e != nil && err == nil; e, rest, err = susp.Next(rest) {
			if s := e.Signature(); s == rrip.SignaturePX || s == rrip.SignatureTF || s == susp.SignatureCE {
				t.rockRidge = true
			}
		}
		if t.rockRidge {
			t.dirs = []directory{{}}
			t.report(SystemUseIndicator, at, "the first record of the root has entries of Rock Ridge, but SP is missing or damaged")
			t.dirs = nil
		}
		return
	}
	if !iso9660.Both32Agrees(self[2:]) {
		return // reported later
	}
	// The extensions are announced in the same record (SUSP 5.5).
	var use systemUse
	quiet := t.quiet
	t.quiet, t.dirs = true, []directory{{lba: root, size: iso9660.BlockSize}}
	t.systemUse(record{self, at}, &use, true)
	t.quiet = quiet
	if t.readBytes = 0; use.intact && !use.hasER {
		if !use.hasPX {
			t.rockRidge = false // the protocol is used for something else
		} else {
			t.report(ExtensionReference, at, "Rock Ridge is in use, but no ER announces it")
		}
	}
	t.dirs = nil
}
