package mmc

// Capacity is the reply of READ CAPACITY (MMC-5 6.19).
type Capacity []byte

const capacityLen = 8

// NewCapacity makes a reply.
func NewCapacity(lastBlock uint32) Capacity {
	c := make(Capacity, capacityLen)
	put32(c, 0, lastBlock)
	put32(c, 4, BlockSize)
	return c
}

func parseCapacity(b []byte) (Capacity, error) {
	if len(b) < capacityLen {
		return nil, newResponseError(OpReadCapacity, b, "%d bytes instead of %d", len(b), capacityLen)
	}
	return Capacity(b[:capacityLen]), nil
}

// LastBlock returns the address of the last readable block (LBA). FFFFFFFFh
// stands for more than can be told.
func (c Capacity) LastBlock() uint32 { return u32(c, 0) }

// BlockLength returns the size of a block in bytes.
func (c Capacity) BlockLength() uint32 { return u32(c, 4) }

// Blocks returns the number of readable blocks. A last block of FFFFFFFFh is
// no valid answer of an optical drive and counts as none.
func (c Capacity) Blocks() uint32 { return c.LastBlock() + 1 }

// CapacityType says what the current capacity descriptor counts (MMC-5
// 6.24.3.2.1).
type CapacityType uint8

// Descriptor types.
const (
	CapacityUnformatted CapacityType = 1 // blocks the blank medium could be formatted to
	CapacityFormatted   CapacityType = 2 // blocks of the formatted medium
	CapacityNoMedium    CapacityType = 3 // no medium, or unknown capacity
)

// FormatType is the way FORMAT UNIT formats (MMC-5 6.5.4.2).
type FormatType uint8

// Format types.
const (
	FormatFull       FormatType = 0x00
	FormatExpand     FormatType = 0x01 // DVD-RAM: expand the spare area
	FormatDVDRWFull  FormatType = 0x10
	FormatDVDRWGrow  FormatType = 0x11 // grow the last session by a fixed size
	FormatDVDRWQGrow FormatType = 0x13 // grow it as it is written
	FormatDVDRWQuick FormatType = 0x15
	FormatDVDPlusRW  FormatType = 0x26
	FormatBDRESpare  FormatType = 0x30
	FormatBDRENoSp   FormatType = 0x31
	FormatBDRSpare   FormatType = 0x32
)

const (
	formatHeaderLen  = 4
	formatDescLength = 8
)

// FormatCapacities is the reply of READ FORMAT CAPACITIES (MMC-5 6.24.3):
//
//	 0 1 2   3             4…11                      12…
//	┌───────┬─────────────┬─────────────────────────┬──────────────────────────┐
//	│   0   │ list length │ current/max descriptor  │ formattable descriptors  │
//	└───────┴─────────────┴─────────────────────────┴──────────────────────────┘
type FormatCapacities []byte

// NewFormatCapacities makes a reply without formattable descriptors.
func NewFormatCapacities(t CapacityType, blocks uint32) FormatCapacities {
	f := make(FormatCapacities, formatHeaderLen+formatDescLength)
	f[3] = formatDescLength
	put32(f, 4, blocks)
	f[8] = uint8(t)
	put24(f, 9, BlockSize)
	return f
}

// Append adds a formattable descriptor and returns the longer reply.
func (f FormatCapacities) Append(d FormatDescriptor) FormatCapacities {
	b := make([]byte, formatDescLength)
	put32(b, 0, d.Blocks)
	b[4] = uint8(d.Type) << 2
	put24(b, 5, d.Parameter)
	f = append(f, b...)
	f[3] = uint8(len(f) - formatHeaderLen)
	return f
}

func parseFormatCapacities(b []byte) (FormatCapacities, error) {
	const least = formatHeaderLen + formatDescLength
	if len(b) < least {
		return nil, newResponseError(OpReadFormatCapacities, b, "%d bytes instead of at least %d", len(b), least)
	}
	n := formatHeaderLen + int(b[3])
	if n < least {
		return nil, newResponseError(OpReadFormatCapacities, b, "capacity list length %d", b[3])
	}
	n = min(n, len(b))
	return FormatCapacities(b[:n-(n-formatHeaderLen)%formatDescLength]), nil
}

// Blocks returns the number of blocks of the current or maximum capacity.
func (f FormatCapacities) Blocks() uint32 { return u32(f, 4) }

// Type returns what Blocks counts.
func (f FormatCapacities) Type() CapacityType { return CapacityType(u8(f, 8) & 3) }

// FormatDescriptor is one capacity a medium can be formatted to (MMC-5 6.24.3.3).
type FormatDescriptor struct {
	Blocks    uint32 // what they count depends on Type
	Type      FormatType
	Parameter uint32 // 24 bits, type dependent
}

// Descriptors returns the formattable descriptors.
func (f FormatCapacities) Descriptors() []FormatDescriptor {
	var ds []FormatDescriptor
	const first = formatHeaderLen + formatDescLength
	for rest := f[min(first, len(f)):]; len(rest) >= formatDescLength; rest = rest[formatDescLength:] {
		ds = append(ds, FormatDescriptor{u32(rest, 0), FormatType(rest[4] >> 2), u24(rest, 5)})
	}
	return ds
}

// Find returns the first descriptor of a type.
func (f FormatCapacities) Find(t FormatType) (FormatDescriptor, bool) {
	for _, d := range f.Descriptors() {
		if d.Type == t {
			return d, true
		}
	}
	return FormatDescriptor{}, false
}

// BufferCapacity is the reply of READ BUFFER CAPACITY (MMC-5 6.18).
type BufferCapacity []byte

const bufferCapacityLen = 12

// NewBufferCapacity makes a reply; both sizes are in bytes.
func NewBufferCapacity(total, free uint32) BufferCapacity {
	b := make(BufferCapacity, bufferCapacityLen)
	put16(b, 0, bufferCapacityLen-2)
	put32(b, 4, total)
	put32(b, 8, free)
	return b
}

func parseBufferCapacity(b []byte) (BufferCapacity, error) {
	if len(b) < bufferCapacityLen {
		return nil, newResponseError(OpReadBufferCapacity, b, "%d bytes instead of %d", len(b), bufferCapacityLen)
	}
	return BufferCapacity(b[:bufferCapacityLen]), nil
}

// NewBufferCapacityBlocks makes a reply to the block form of the command.
func NewBufferCapacityBlocks(free uint32) BufferCapacity {
	b := NewBufferCapacity(0, free)
	b[3] = 0x01
	return b
}

// InBlocks reports whether Free counts blocks of the kind being written; Total
// is not told then.
func (b BufferCapacity) InBlocks() bool { return u8(b, 3)&0x01 != 0 }

// Total returns the size of the drive's buffer in bytes.
func (b BufferCapacity) Total() uint32 { return u32(b, 4) }

// Free returns the unused part of the buffer in bytes, or blocks. Some drives report more
// than Total; half of the buffer is then the best guess.
func (b BufferCapacity) Free() uint32 {
	if free := u32(b, 8); free <= b.Total() || b.InBlocks() {
		return free
	}
	return b.Total() / 2
}
