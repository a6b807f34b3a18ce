package check

import (
	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/zisofs"
)

// What Linux follows for one record (fs/isofs/rock.c): 31 Continuation Areas, none
// of which crosses the end of its block.
const linuxContinuations = 31

// systemUse is what the System Use field of a record says.
type systemUse struct {
	intact  bool // all entries could be read
	firstCE susp.CE
	same    susp.CE // the CE of another record of the same file, which may be shared

	px                                       rrip.PX
	hasPX, hasPN, hasSL, hasNM, hasTF, hasBF bool
	hasCL, hasPL, hasRE, hasER, hasSP        bool
	cut                                      bool // the last component of SL goes on
	cl, pl                                   uint32
	name                                     rrip.NameDecoder
	target                                   rrip.TargetDecoder
	attrs                                    aaip.Decoder
	nm, sl, al                               chain
	hasAL                                    bool
	index                                    uint32 // isofs.cx
	hasZF                                    bool
	zf                                       zisofs.ZF
}

func (u *systemUse) reset() {
	name, target, attrs := u.name, u.target, u.attrs
	name.Reset()
	target.Reset()
	attrs.Reset()
	*u = systemUse{same: u.same, name: name, target: target, attrs: attrs}
}

// A chain is a row of entries of which all but the last have a flag.
type chain struct{ begun, ended bool }

// next takes up an entry and tells whether it may be there.
func (c *chain) next(more bool) bool {
	ok := !c.ended
	c.begun, c.ended = true, !more
	return ok
}

func (c *chain) broken() bool { return c.begun && !c.ended }

// systemUse reads the System Use field of rec and its Continuation Areas (SUSP 5.1).
// What is wrong with single entries is reported; what has to be there, and what
// must not, is for the caller to say.
func (t *tree) systemUse(rec record, u *systemUse, dots bool) {
	u.reset()
	defer func() { t.damaged = t.damaged || !u.intact }()
	at := rec.where
	area := rec.SystemUse()
	skip := t.skip
	if dots && at.dir == 0 && rec.IsSelf() {
		if found, _, ok := susp.FindSP(area); ok {
			skip = found
		}
	}
	area = area[min(skip, len(area)):]
	for hops := 0; ; hops++ {
		ce, more, ok := t.entries(at, area, u)
		if !ok {
			return
		}
		if !more || ce.Length == 0 {
			break
		}
		if hops == linuxContinuations {
			t.report(Continuation, at, "there are more than %d continuation areas, or they lead in a circle", linuxContinuations)
			return
		}
		if hops == 0 {
			u.firstCE = ce
		}
		if area, ok = t.follow(at, ce, ce == u.same && hops == 0); !ok {
			return
		}
	}
	u.intact = true
	if u.hasSP && (at.dir != 0 || !rec.IsSelf()) {
		t.form("SUSP 5.3", at, "SP is in another record than the first of the root")
	}
	for _, c := range []struct {
		*chain
		rule Rule
		what string
	}{{&u.nm, AlternateName, "NM"}, {&u.sl, SymbolicLink, "SL"}, {&u.al, Attributes, "AL"}} {
		if c.broken() {
			t.report(c.rule, at, "the last %s entry says that another one follows", c.what)
		}
	}
}

// entries reads the entries of one area. more tells whether ce leads to another one,
// ok whether the area could be read to its end.
func (t *tree) entries(at where, area []byte, u *systemUse) (ce susp.CE, more, ok bool) {
	for {
		e, rest, err := susp.Next(area)
		if err != nil {
			t.report(SystemUseEntry, at, "the System Use entry %q is broken: %v", head(area), err)
			return ce, false, false
		}
		if e == nil {
			ended := len(area) >= susp.HeaderSize && area[0] == 'S' && area[1] == 'T'
			if ended && area[2] != susp.SizeST {
				t.form("SUSP 5.4", at, "ST has %d bytes instead of %d", area[2], susp.SizeST)
			}
			if !ended && len(area) >= susp.HeaderSize && !isZero(area) {
				t.report(SystemUseEntry, at, "bytes that are not zero follow the last System Use entry")
				return ce, false, false
			}
			return ce, more, true
		}
		area = rest
		if e.Version() != 1 && !isZF(e) {
			t.report(SystemUseEntry, at, "the System Use entry %v has version %d, which nobody knows", e.Signature(), e.Version())
		}
		if e.Signature() != susp.SignatureCE {
			t.entry(at, e, u)
			continue
		}
		if more {
			t.report(Continuation, at, "there are two CE entries in one area")
		}
		if ce, more = susp.ParseCE(e); !more || len(e) != susp.SizeCE {
			t.report(Continuation, at, "the CE entry has %d bytes instead of %d", len(e), susp.SizeCE)
			return ce, false, false
		}
		if !iso9660.Both32Agrees(e[4:]) || !iso9660.Both32Agrees(e[12:]) || !iso9660.Both32Agrees(e[20:]) {
			t.report(Continuation, at, "the two halves of a number of the CE entry disagree: %x", []byte(e[4:susp.SizeCE]))
		}
	}
}

func head(area []byte) string { return string(area[:min(2, len(area))]) }

// follow reads a Continuation Area. shared says that another record of the same
// file has led there before.
func (t *tree) follow(at where, ce susp.CE, shared bool) ([]byte, bool) {
	end := int64(ce.Offset) + int64(ce.Length)
	blocks := blocksOf(end)
	if int64(ce.LBA)+blocks > int64(t.size) && !t.absolute && t.inside(int64(ce.LBA), blocks) {
		t.beyondSize(at, ce)
	} else if !t.inside(int64(ce.LBA), blocks) {
		t.report(Continuation, at, "the continuation area, block %d, does not lie in the volume, which ends at block %d", ce.LBA, t.size)
		return nil, false
	}
	if end > iso9660.BlockSize {
		t.report(Continuation, at, "the continuation area, %d bytes from byte %d of block %d, does not end in its block; Linux drops the name", ce.Length, ce.Offset, ce.LBA)
		return nil, false
	}
	area, err := t.continuation.read(t.checker, ce)
	if err != nil {
		if !t.done() {
			t.report(Unreadable, at, "the continuation area at block %d cannot be read: %v", ce.LBA, err)
		}
		return nil, false
	}
	if shared {
		return area, true
	}
	// Areas that do not overlap are not longer than the medium.
	if t.readBytes += int64(ce.Length); t.readBytes > t.highest*iso9660.BlockSize {
		if !t.exhaustedCE {
			t.report(Limit, at, "the continuation areas read so far are longer than the medium, so they overlap; further ones are not followed")
		}
		t.exhaustedCE = true
		return nil, false
	}
	t.claim(kindContinuation, at.dir, int64(ce.LBA)*iso9660.BlockSize+int64(ce.Offset), int64(ce.Length), at.record, 0)
	return area, true
}

// beyondSize notes an area that Linux refuses: it takes the volume space size as
// absolute, whatever the producer meant by it.
func (t *tree) beyondSize(at where, ce susp.CE) {
	if t.quiet {
		return
	}
	b := &t.beyond
	if b.count++; b.count > 1 {
		return
	}
	path := t.path(at.dir)
	if at.name != "" {
		path = join(path, at.name)
	}
	b.first = finding(ContinuationBeyond, at.lba, at.offset, path,
		"the continuation area at block %d lies beyond the volume space size, %d, and Linux drops the name", ce.LBA, t.size)
}

// A continuationCache keeps the blocks read last, since the areas of one directory
// usually lie together.
type continuationCache struct {
	buffer []byte
	lba    int64
	blocks []byte // what is valid of buffer
}

func (k *continuationCache) read(c *checker, ce susp.CE) ([]byte, error) {
	if k.buffer == nil {
		k.buffer = newWindow()
	}
	first := int64(ce.LBA) + int64(ce.Offset)/iso9660.BlockSize
	offset := int64(ce.Offset) % iso9660.BlockSize
	need := offset + int64(ce.Length)
	if at := (first - k.lba) * iso9660.BlockSize; at >= 0 && at+need <= int64(len(k.blocks)) {
		return k.blocks[at+offset : at+need], nil
	}
	const ahead = 8
	var err error
	for _, blocks := range [...]int64{max(ahead, blocksOf(need)), blocksOf(need)} {
		k.blocks = nil
		p := k.buffer[:blocks*iso9660.BlockSize]
		if err = c.read(first, p); err == nil {
			k.lba, k.blocks = first, p
			return p[offset:need], nil
		}
		if c.done() {
			break
		}
	}
	return nil, err
}
