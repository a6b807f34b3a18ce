package emu

import "burnfs/mmc"

// plainFile is a file without a state file beside it, such as an ISO image. It
// plays a formatted BD-RE. What can be read is what the file holds, the last
// block filled up with zeros; what is written behind its end makes it longer,
// up to a limit. So the file stays what any other program makes of it.
type plainFile struct{ overwritable }

// defaultMaxBlocks is how far a plain file grows unless told otherwise.
const defaultMaxBlocks = 1 << 26 // 128 GiB

func (plainFile) tracks(m *medium) []trackView {
	return []trackView{{number: 1, session: 1, size: m.limit, written: m.Blocks}}
}

func (plainFile) capacity(m *medium) uint32 { return m.Blocks }

func (plainFile) readable(m *medium, lba, n uint32) (uint32, error) {
	// READ CAPACITY has no number for "nothing", so one block of zeros is there.
	return readableUpTo(max(m.Blocks, 1), lba, n)
}

func (plainFile) write(m *medium, _ *writeParameters, lba, n uint32) error {
	return m.checkRange(lba, n, m.limit)
}

func (plainFile) written(m *medium, lba, n uint32) { m.Blocks = max(m.Blocks, lba+n) }

func (plainFile) format(m *medium, f formatRequest) error {
	if f.kind != formatFull && f.kind != formatBDSpare && f.kind != formatBDNoSpare {
		return invalidParameter.inParameters(8)
	}
	if f.blocks != m.limit {
		return invalidParameter.inParameters(4)
	}
	m.Blocks = 0
	return m.data.erase()
}

func plainBlocks(size int64) int64 { return (size + mmc.BlockSize - 1) / mmc.BlockSize }
