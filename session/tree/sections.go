package tree

import (
	"math"
	"slices"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

const (
	// maxSections is the most sections that a file of old and new pieces is
	// recorded with (the Linux kernel gives up at 100).
	maxSections = 32
	// maxSection is the most bytes of one section: its length field has 32
	// bits (ECMA-119 9.1.4) and sections but the last are whole blocks.
	maxSection = 1<<32 - iso9660.BlockSize
	// sectionCost is how many bytes may be burned to have a section less. An old
	// piece between two new ones makes two: below 32 KiB it is burned with them. Its
	// records take more than nothing, and a reader seeks there and back; drives read
	// from a DVD no less than 32 KiB at a time, from a BD 64.
	sectionCost = 8 * iso9660.BlockSize
)

// fewest chooses which old pieces are kept, so that the fewest bytes are burned
// in at most maxSections sections. The pieces make up a file; those next to a
// piece that is not kept are burned in one go with it. It returns nil if so few
// sections cannot hold the file.
//
//	old     new   old  new      old      new
//	├───────┤▒▒▒▒▒├────┤▒▒▒▒▒▒▒▒├────────┤▒▒▒▒▒┤
//	├───────┤▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒├────────┤▒▒▒▒▒┤   two sections less
//
// What is burned up to a piece in so many sections, with a kept or a burned piece at
// the end, depends on nothing but that up to the piece before.
func fewest(pieces []Piece) []Piece {
	if sections(pieces) <= maxSections && !slices.ContainsFunc(pieces, func(p Piece) bool { return p.Old && p.Size <= 2*sectionCost }) {
		return pieces // nothing is gained by burning one of them
	}
	// A run of new pieces that together are longer than a section may need one more
	// than was counted.
	for most := maxSections; most > maxSections-3; most-- {
		if best := chosen(pieces, most); best == nil || sections(best) <= maxSections {
			return best
		}
	}
	return nil
}

// chosen is fewest in at most so many sections, each as it is counted here.
func chosen(pieces []Piece, most int) []Piece {
	const (
		burned = iota // the last piece is
		kept
		ends
	)
	const never = math.MaxInt64
	// came tells for each piece, number of sections and end what the piece before ended in.
	came := make([][ends]uint8, len(pieces)*(most+1))
	cost, next := make([][ends]int64, most+1), make([][ends]int64, most+1)
	for k := range cost {
		cost[k] = [ends]int64{never, never}
	}
	cost[0] = [ends]int64{never, 0} // the first piece begins a section in any case
	for i, p := range pieces {
		more := int((p.Size - 1) / maxSection) // sections besides one
		step := func(k, from, to, sections int, bytes int64) {
			if cost[k][from] == never || k+sections > most {
				return
			}
			c := cost[k][from] + bytes + int64(sections)*sectionCost
			if c < next[k+sections][to] {
				next[k+sections][to] = c
				came[i*(most+1)+k+sections][to] = uint8(from)
			}
		}
		for k := range next {
			next[k] = [ends]int64{never, never}
		}
		for k := range cost {
			step(k, burned, burned, more, roundUp(p.Size))
			step(k, kept, burned, more+1, roundUp(p.Size))
			if p.Old {
				step(k, burned, kept, more+1, 0)
				step(k, kept, kept, more+1, 0)
			}
		}
		cost, next = next, cost
	}
	k, end := 0, burned
	for i := range cost {
		for e := range ends {
			if cost[i][e] < cost[k][end] {
				k, end = i, e
			}
		}
	}
	if len(pieces) == 0 || cost[k][end] == never {
		return nil
	}
	old := make([]bool, len(pieces))
	for i := len(pieces) - 1; i >= 0; i-- {
		old[i] = end == kept
		before := int(came[i*(most+1)+k][end])
		more := int((pieces[i].Size - 1) / maxSection)
		if end == kept || before == kept {
			more++
		}
		k, end = k-more, before
	}
	var best []Piece
	for i, p := range pieces {
		last := len(best) - 1
		switch {
		case old[i]:
			best = append(best, p)
		case last >= 0 && !best[last].Old:
			best[last].Size += p.Size
		default:
			best = append(best, Piece{Off: p.Off, Size: p.Size})
		}
	}
	return best
}

// Fewest tells how a changed file is recorded if m is its content: that of e, or the
// same bytes where the disc has more of them. It is e.Pieces unless something is saved
// beyond what more sections take in directories, so that the books stay right.
func (f *Frozen) Fewest(e Entry, m *extent.Map) []Piece {
	best := laidOut(m, f.t.delta)
	if !e.Pays(int64(newBlocks(best)), sections(best)) {
		return e.Pieces
	}
	return best
}

// Pays tells whether something is saved if so many blocks are burned of e, which is
// recorded in so many sections, and not e.Pieces: each of its names takes a record in
// each tree for a section.
func (e *Entry) Pays(blocks, parts int64) bool {
	saved := (int64(newBlocks(e.Pieces)) - blocks) * iso9660.BlockSize
	more := max(parts-sections(e.Pieces), 0) * recordsCost(isoRecord+jolietRecord)
	if more > 0 {
		more += touchCost
	}
	return saved > more*int64(max(e.Attr.Nlink, 1))
}
