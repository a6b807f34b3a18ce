package emu

import "encoding/binary"

// A block of data as it is on a CD, before scrambling (ECMA-130 clause 14, annex
// A; the Mode 2 forms are those of CD-ROM XA):
//
//	            0      12       16                  2064  2068  2076   2248  2352
//	mode 1      │ sync │ header │ 2048 bytes of data │ EDC │  0  │  P   │  Q  │
//	            0      12       16           24                  2072 2076   2248  2352
//	XA form 1   │ sync │ header │ sub-header │ 2048 bytes of data │ EDC │  P   │  Q  │
//
// In form 1 the header counts as zeros for P and Q, so that a block can be copied
// to another address.
type cdSector [2352]byte

const (
	sectorHeader    = 12
	sectorData      = 16 // in mode 1
	sectorXAData    = 24
	sectorEDC       = 2064
	sectorXAEDC     = 2072
	sectorP         = 2076
	sectorQ         = 2248
	subModeData     = 0x08
	subHeaderLength = 8
)

// newCDSector makes the block at lba of the given user data.
func newCDSector(lba uint32, mode2 bool, data []byte) *cdSector {
	s := new(cdSector)
	for i := 1; i < 11; i++ {
		s[i] = 0xff
	}
	at := sectorData
	if mode2 {
		at = sectorXAData
		s[sectorData+2], s[sectorData+6] = subModeData, subModeData
	}
	copy(s[at:], data)
	if mode2 {
		s.setEDC(sectorData, sectorXAEDC)
		s.setParity()
	}
	for i, v := range msf3(lba) {
		s[sectorHeader+i] = v/10<<4 | v%10
	}
	s[sectorHeader+3] = 1 + bit(mode2, 1)
	if !mode2 {
		s.setEDC(0, sectorEDC)
		s.setParity()
	}
	return s
}

// setEDC stores the cyclic redundancy check of what begins at a byte behind it
// (ECMA-130 14.3).
func (s *cdSector) setEDC(from, to int) {
	const polynomial = 0xd8018001 // least significant bit first
	crc := uint32(0)
	for _, v := range s[from:to] {
		crc ^= uint32(v)
		for range 8 {
			crc = crc>>1 ^ polynomial&-(crc&1)
		}
	}
	binary.LittleEndian.PutUint32(s[to:], crc)
}

// setParity stores P and Q (ECMA-130 annex A). Header, data and parity are two
// planes of 1170 bytes each. In a plane, 43 columns of 26 bytes are P vectors, and
// 26 diagonals of 45 bytes are Q vectors over data and P.
func (s *cdSector) setParity() {
	const (
		columns, rows      = 43, 24
		diagonals, along   = 26, 43
		plane              = columns * (rows + 2)
		columnStep         = columns
		diagonalStep       = columns + 1
		parityP0, parityP1 = columns * rows, columns * (rows + 1)
		parityQ0, parityQ1 = plane, plane + diagonals
	)
	for side := range 2 {
		at := func(n int) *byte { return &s[sectorHeader+2*n+side] }
		for c := range columns {
			var v parity
			for r := range rows {
				v.add(*at(c + r*columnStep))
			}
			*at(parityP0 + c), *at(parityP1 + c) = v.bytes()
		}
		for q := range diagonals {
			var v parity
			for i := range along {
				v.add(*at((q*columns + i*diagonalStep) % plane))
			}
			*at(parityQ0 + q), *at(parityQ1 + q) = v.bytes()
		}
	}
}

// parity computes the two check bytes of a Reed-Solomon vector over GF(2⁸),
// modulo x⁸+x⁴+x³+x²+1: the sum of all bytes is zero, and so is the sum of all
// bytes times powers of x that count down to 0.
type parity struct{ sum, weighted byte }

func (p *parity) add(v byte) {
	p.sum ^= v
	p.weighted = timesX(p.weighted ^ v)
}

func (p *parity) bytes() (byte, byte) {
	// first + second = sum, first·x + second = weighted·x, so that
	// first = (sum + weighted·x) / (x+1).
	const inverse = 0xf4 // of x+1
	first := byte(0)
	for a, b := p.sum^timesX(p.weighted), byte(inverse); b != 0; a, b = timesX(a), b>>1 {
		first ^= a & -(b & 1)
	}
	return first, p.sum ^ first
}

func timesX(v byte) byte { return v<<1 ^ 0x1d&-(v>>7) }
