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
	unusableDescriptor    = 8

	// Types of GET PERFORMANCE (MMC-5 6.8.2.4).
	performanceNominal    = 0x00
	performanceUnusable   = 0x01
	performanceWriteSpeed = 0x03

	// Data Type (MMC-5 6.8.2.1).
	performanceTolerance = 0x10 // 10 % nominal, 20 % exceptions: the only value
	performanceWrite     = 0x04
)

// WriteSpeed is one write speed descriptor (MMC-5 6.8.5.3).
type WriteSpeed struct {
	EndLBA     uint32 // the speeds hold up to this block
	ReadSpeed  uint32 // kB/s, kB = 1000 bytes
	WriteSpeed uint32 // kB/s
	Exact      bool   // the drive keeps exactly to it
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
	b, err := parsePerformance(b, performanceDescriptor)
	return WriteSpeeds(b), err
}

// parsePerformance cuts a reply behind its last whole descriptor.
func parsePerformance(b []byte, descriptor uint64) ([]byte, error) {
	if len(b) < performanceHeader {
		return nil, newResponseError(OpGetPerformance, b, "%d bytes instead of at least %d", len(b), performanceHeader)
	}
	n := uint64(u32(b, 0)) + 4
	if n < performanceHeader {
		return nil, newResponseError(OpGetPerformance, b, "performance data length %d", n-4)
	}
	n = min(n, uint64(len(b)))
	return b[:n-(n-performanceHeader)%descriptor], nil
}

// NominalPerformance is the reply of GET PERFORMANCE type 00h (MMC-5 6.8.5.1).
type NominalPerformance []byte

func parseNominalPerformance(b []byte) (NominalPerformance, error) {
	b, err := parsePerformance(b, performanceDescriptor)
	return NominalPerformance(b), err
}

// Performance is how the speed goes from one block to another, in a straight line
// (MMC-5 6.8.5.1).
type Performance struct {
	StartLBA   uint32 // first block
	StartSpeed uint32 // there, in kB/s, kB = 1000 bytes
	EndLBA     uint32 // last block
	EndSpeed   uint32 // there, in kB/s
}

// Write reports that the speeds are those of writing.
func (n NominalPerformance) Write() bool { return u8(n, 4)&0x02 != 0 }

// Performances returns the descriptors in the order of the reply.
func (n NominalPerformance) Performances() []Performance {
	var ps []Performance
	for rest := n[min(performanceHeader, len(n)):]; len(rest) >= performanceDescriptor; rest = rest[performanceDescriptor:] {
		ps = append(ps, Performance{u32(rest, 0), u32(rest, 4), u32(rest, 8), u32(rest, 12)})
	}
	return ps
}

// UnusableArea is the reply of GET PERFORMANCE type 01h (MMC-5 6.8.5.2).
type UnusableArea []byte

func parseUnusableArea(b []byte) (UnusableArea, error) {
	b, err := parsePerformance(b, unusableDescriptor)
	return UnusableArea(b), err
}

// Unusable is a run of blocks that cannot be used.
type Unusable struct {
	LBA    uint32 // first block
	Blocks uint32
}

// Areas returns the descriptors in the order of the reply.
func (a UnusableArea) Areas() []Unusable {
	var us []Unusable
	for rest := a[min(performanceHeader, len(a)):]; len(rest) >= unusableDescriptor; rest = rest[unusableDescriptor:] {
		us = append(us, Unusable{u32(rest, 0), u32(rest, 4)})
	}
	return us
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

// streamingLen is the length of the descriptor.
const streamingLen = 28

// NewStreaming asks for speeds in kB/s from block first to block last.
func NewStreaming(first, last, readSpeed, writeSpeed uint32) Streaming {
	s := make(Streaming, streamingLen)
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
	s := make(Streaming, streamingLen)
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
