package emu

import "burnfs/mmc"

// A BD or DVD-RAM sets blocks aside to replace bad ones with. How many, its format
// says; what is left is for data:
//
//	│◀──────────────── blocks + spare: what the medium has ───────────────▶│
//	├──────────────────────────────────────────────────────┬───────────────┤
//	│ blocks, for data                                      │ spare          │
//
// Here no block ever goes bad, so the spare ones stay unused.

const clusterBlocks = 32 // a cluster of BD

// spareSizes says how many blocks a medium can set aside.
type spareSizes struct{ least, usual, most uint32 }

// bdSpares are those of the BD that are sold, by the number of all their blocks:
// one, two, three and four layers. Drives list them in READ FORMAT CAPACITIES.
var bdSpares = map[uint32]spareSizes{
	12219392: {131072, 393216, 655360},
	24438784: {131072, 786432, 1310720},
	48878592: {24576, 1572864, 2621440},
	62500864: {24576, 2097152, 3495232},
}

// bdMost is the number of blocks of the largest BD.
const bdMost = 62500864

// sparesOf returns the choice for a BD of any size: about one part in 32.
func sparesOf(total uint32) spareSizes {
	if s, ok := bdSpares[total]; ok {
		return s
	}
	clusters := max(total/clusterBlocks, 1)
	part := func(n, of uint32) uint32 { return max(clusters*n/of, 1) * clusterBlocks }
	return spareSizes{part(1, 96), part(1, 32), part(5, 96)}
}

// usualSpare returns how many blocks a BD has to set aside to keep the given number
// for data in the usual format.
func usualSpare(data uint32) uint32 {
	for total, s := range bdSpares {
		if total-s.usual == data {
			return s.usual
		}
	}
	spare := max(data/clusterBlocks/31, 1) * clusterBlocks
	for sparesOf(data+spare).usual > spare {
		spare += clusterBlocks
	}
	return spare
}

// total returns how many blocks the medium has for data and spare together.
func (m *medium) total() uint32 { return m.Blocks + m.Spare }

// divide sets blocks aside and leaves the rest for data.
func (m *medium) divide(data uint32) {
	m.Blocks, m.Spare = data, m.total()-data
	m.dirty = true
}

// spareChoice returns the formats of one type with the usual, the most and the
// fewest spare blocks. The parameter counts them in clusters.
func spareChoice(total uint32, format byte) []formatCapacity {
	s := sparesOf(total)
	c := func(spare uint32) formatCapacity {
		return formatCapacity{total - spare, format << 2, spare / clusterBlocks}
	}
	return []formatCapacity{c(s.usual), c(s.most), c(s.least)}
}

// checkSpare refuses a size for data that leaves more or fewer spare blocks than
// can be.
func checkSpare(total, data uint32) error {
	s := sparesOf(total)
	if data%clusterBlocks != 0 || data > total-s.least || data < total-s.most {
		return invalidParameter.inParameters(4)
	}
	return nil
}

// formattable is a family that READ FORMAT CAPACITIES tells more of than its size.
type formattable interface {
	family
	// capacities returns what the medium is formatted to and what it can be
	// formatted to (MMC-5 6.24.3).
	capacities(m *medium) (current formatCapacity, list []formatCapacity)
}

// current returns the first descriptor of an overwritable medium: unformatted,
// what it could have at most.
func (m *medium) current(most uint32) formatCapacity {
	if m.Formatting == formatNone {
		return formatCapacity{most, capacityUnformatted, mmc.BlockSize}
	}
	return formatCapacity{m.Blocks, capacityFormatted, mmc.BlockSize}
}

func (dvdPlusRW) capacities(m *medium) (formatCapacity, []formatCapacity) {
	return m.current(m.Blocks), []formatCapacity{{m.Blocks, formatDVDPlusRW << 2, 0}}
}

func (plainFile) capacities(m *medium) (formatCapacity, []formatCapacity) {
	return formatCapacity{m.limit, capacityFormatted, mmc.BlockSize}, []formatCapacity{
		{m.limit, formatFull << 2, mmc.BlockSize},
		{m.limit, formatBDSpare << 2, 0},
		{m.limit, formatBDNoSpare << 2, mmc.BlockSize},
	}
}

func (dvdRW) capacities(m *medium) (formatCapacity, []formatCapacity) { return m.dvdRWCapacities() }

func (restrictedOverwrite) capacities(m *medium) (formatCapacity, []formatCapacity) {
	return m.dvdRWCapacities()
}
