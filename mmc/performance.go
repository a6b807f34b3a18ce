package mmc

// WriteSpeeds is the reply of GET PERFORMANCE type 03h (MMC-5 6.8.5.3):
// a header of 8 bytes, then descriptors of 16.
//
//	 0…3              4             5…7    8…
//	┌────────────────┬─────────────┬──────┬──────────────────────────┐
//	│ data length    │ Write|Except│  0   │ write speed descriptors  │
//	└────────────────┴─────────────┴──────┴──────────────────────────┘
type WriteSpeeds []byte

const (
	performanceHeader     = 8
	performanceDescriptor = 16
	performanceWriteSpeed = 0x03 // type of GET PERFORMANCE
)

// WriteSpeed is one write speed descriptor.
type WriteSpeed struct {
	EndLBA     uint32 // the speeds hold up to this block
	ReadSpeed  uint32 // kB/s, kB = 1000 bytes
	WriteSpeed uint32 // kB/s
	Exact      bool
}

// NewWriteSpeeds composes a reply.
func NewWriteSpeeds(speeds ...WriteSpeed) WriteSpeeds {
	w := make(WriteSpeeds, performanceHeader, performanceHeader+len(speeds)*performanceDescriptor)
	for _, s := range speeds {
		d := make([]byte, performanceDescriptor)
		putBit(d, 0, 0x02, s.Exact)
		put32(d, 4, s.EndLBA)
		put32(d, 8, s.ReadSpeed)
		put32(d, 12, s.WriteSpeed)
		w = append(w, d...)
	}
	put32(w, 0, uint32(len(w)-4))
	return w
}

func parseWriteSpeeds(b []byte) (WriteSpeeds, error) {
	if len(b) < performanceHeader {
		return nil, newResponseError(OpGetPerformance, b, "%d bytes instead of at least %d", len(b), performanceHeader)
	}
	n := uint64(u32(b, 0)) + 4
	if n < performanceHeader {
		return nil, newResponseError(OpGetPerformance, b, "performance data length %d", n-4)
	}
	n = min(n, uint64(len(b)))
	return WriteSpeeds(b[:n-(n-performanceHeader)%performanceDescriptor]), nil
}

// Speeds returns the descriptors in the order of the reply.
func (w WriteSpeeds) Speeds() []WriteSpeed {
	var ss []WriteSpeed
	for rest := w[min(performanceHeader, len(w)):]; len(rest) >= performanceDescriptor; rest = rest[performanceDescriptor:] {
		ss = append(ss, WriteSpeed{u32(rest, 4), u32(rest, 8), u32(rest, 12), rest[0]&0x02 != 0})
	}
	return ss
}

// Streaming is the performance descriptor of SET STREAMING (MMC-5 6.39).
// Speeds are given as size per time.
type Streaming []byte

// StreamingLen is the length of the descriptor.
const StreamingLen = 28

// NewStreaming asks for speeds in kB/s from block first to block last.
func NewStreaming(first, last, readSpeed, writeSpeed uint32) Streaming {
	s := make(Streaming, StreamingLen)
	put32(s, 4, first)
	put32(s, 8, last)
	put32(s, 12, readSpeed)
	put32(s, 16, 1000) // read time in ms
	put32(s, 20, writeSpeed)
	put32(s, 24, 1000) // write time in ms
	return s
}

// NewStreamingDefaults asks the drive to return to its own speeds (RDD bit).
func NewStreamingDefaults() Streaming {
	s := make(Streaming, StreamingLen)
	s[0] = 0x04
	return s
}

// RestoreDefaults reports the RDD bit.
func (s Streaming) RestoreDefaults() bool { return u8(s, 0)&0x04 != 0 }

// First returns the first block the speeds are for.
func (s Streaming) First() uint32 { return u32(s, 4) }

// Last returns the last block the speeds are for.
func (s Streaming) Last() uint32 { return u32(s, 8) }

// ReadSpeed returns the read speed in kB/s, 0 if the time is 0.
func (s Streaming) ReadSpeed() uint32 { return speedOf(u32(s, 12), u32(s, 16)) }

// WriteSpeed returns the write speed in kB/s, 0 if the time is 0.
func (s Streaming) WriteSpeed() uint32 { return speedOf(u32(s, 20), u32(s, 24)) }

func speedOf(kB, ms uint32) uint32 {
	if ms == 0 {
		return 0
	}
	return uint32(min(uint64(kB)*1000/uint64(ms), 1<<32-1))
}
