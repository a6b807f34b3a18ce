package emu

import "burnfs/mmc"

// bdRE is a BD-RE, sold unformatted. Each format begins it anew:
//
//	00h  the usual spare areas
//	30h  a choice of spare areas; sub-type: 00b quick, 10b and 11b certified
//	31h  none, so that the drive does not verify what it writes
type bdRE struct{ overwritable }

func (bdRE) format(m *medium, f formatRequest) error {
	total := m.total()
	switch f.kind {
	case formatFull:
		if f.blocks != total-sparesOf(total).usual {
			return invalidParameter.inParameters(4)
		}
	case formatBDSpare:
		if f.subtype == 1 {
			return invalidParameter.inParameters(8)
		}
		if err := checkSpare(total, f.blocks); err != nil {
			return err
		}
	case formatBDNoSpare:
		if f.blocks != total {
			return invalidParameter.inParameters(4)
		}
	default:
		return invalidParameter.inParameters(8)
	}
	m.divide(f.blocks)
	return reformat(m)
}

func (bdRE) capacities(m *medium) (formatCapacity, []formatCapacity) {
	total := m.total()
	usual := sparesOf(total).usual
	list := []formatCapacity{{total - usual, formatFull << 2, usual / clusterBlocks}}
	list = append(list, spareChoice(total, formatBDSpare)...)
	return m.current(total), append(list, formatCapacity{total, formatBDNoSpare << 2, mmc.BlockSize})
}
