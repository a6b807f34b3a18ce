package emu

import "burnfs/mmc"

// dvdRAM is a DVD-RAM, sold formatted. Beside spare blocks that it always has, it
// can set others aside at its end; expanding these (01h) keeps the data in front
// of them.
type dvdRAM struct{ overwritable }

const (
	// dvdRAMMost and dvdRAMUsual are the two sizes of a side of 4.7 GB.
	dvdRAMMost  = 2295072
	dvdRAMUsual = 2236704
	dvdRAMUnit  = 16
)

// dvdRAMUsualSpare returns how many blocks a DVD-RAM sets aside that has the given
// number for data in the usual format.
func dvdRAMUsualSpare(data uint32) uint32 {
	spare := data / 38 / dvdRAMUnit * dvdRAMUnit
	return min(spare, dvdRAMMost-min(data, dvdRAMMost))
}

// dvdRAMUsualData returns how many blocks for data the usual format leaves.
func (m *medium) dvdRAMUsualData() uint32 {
	total := m.total()
	if total == dvdRAMMost {
		return dvdRAMUsual
	}
	return total - total/39/dvdRAMUnit*dvdRAMUnit
}

// expanded returns to what expanding the spare area shrinks the medium.
func (m *medium) expanded() uint32 { return m.Blocks - m.Blocks/64/dvdRAMUnit*dvdRAMUnit }

func (dvdRAM) format(m *medium, f formatRequest) error {
	switch f.kind {
	case formatFull:
		if f.blocks != m.dvdRAMUsualData() && f.blocks != m.total() {
			return invalidParameter.inParameters(4)
		}
		m.divide(f.blocks)
		return reformat(m)
	case formatSpare:
		if f.blocks != m.expanded() {
			return invalidParameter.inParameters(4)
		}
		if err := m.data.zeroBlocks(f.blocks, m.Blocks-f.blocks); err != nil {
			return err
		}
		m.divide(f.blocks)
		m.Formatted = f.blocks
		return nil
	}
	return invalidParameter.inParameters(8)
}

func (dvdRAM) capacities(m *medium) (formatCapacity, []formatCapacity) {
	return m.current(m.total()), []formatCapacity{
		{m.dvdRAMUsualData(), formatFull << 2, mmc.BlockSize},
		{m.total(), formatFull << 2, mmc.BlockSize},
		{m.expanded(), formatSpare << 2, mmc.BlockSize},
	}
}
