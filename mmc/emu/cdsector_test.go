package emu

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestSectorParity multiplies blocks with the check matrices of ECMA-130 annex A
// and divides them by the polynomial of 14.3, both written down as the standard
// has them.
func TestSectorParity(t *testing.T) {
	mul := func(a, b byte) (p byte) {
		for x := uint16(a); b != 0; b >>= 1 {
			if b&1 != 0 {
				p ^= byte(x)
			}
			if x <<= 1; x&0x100 != 0 {
				x ^= 0x11d // x⁸+x⁴+x³+x²+1
			}
		}
		return p
	}
	holds := func(v []byte) bool {
		sum, weighted, power := byte(0), byte(0), byte(1)
		for i := len(v) - 1; i >= 0; i-- {
			sum ^= v[i]
			weighted ^= mul(power, v[i])
			power = mul(power, 2)
		}
		return sum == 0 && weighted == 0
	}
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, plainBlock)
	for range 20 {
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		lba := rng.Uint32N(300000)
		for _, mode2 := range []bool{false, true} {
			s := newCDSector(lba, mode2, data)
			if h := msf3(lba); s[14] != h[2]/10*16+h[2]%10 || s[15] != 1+bit(mode2, 1) {
				t.Fatalf("header % x of block %d", s[12:16], lba)
			}
			from, to := 0, sectorEDC
			if mode2 {
				clear(s[sectorHeader:sectorData]) // which does not count
				from, to = sectorData, sectorXAEDC
			}
			for side := range 2 {
				word := func(n int) byte { return s[12+2*n+side] }
				for np := range 43 {
					var v []byte
					for mp := range 26 {
						v = append(v, word(43*mp+np))
					}
					if !holds(v) {
						t.Fatalf("mode 2 %v: P vector %d of side %d", mode2, np, side)
					}
				}
				for nq := range 26 {
					var v []byte
					for mq := range 43 {
						v = append(v, word((44*mq+43*nq)%1118))
					}
					if v = append(v, word(43*26+nq), word(44*26+nq)); !holds(v) {
						t.Fatalf("mode 2 %v: Q vector %d of side %d", mode2, nq, side)
					}
				}
			}
			// (x¹⁶+x¹⁵+x²+1)(x¹⁶+x²+x+1), the bits of a byte from the least
			// significant one on.
			const polynomial = 0x18001801b
			rest := uint64(0)
			for _, v := range s[from : to+4] {
				for b := range 8 {
					rest = rest<<1 | uint64(v>>b&1)
					if rest&(1<<32) != 0 {
						rest ^= polynomial
					}
				}
			}
			if rest != 0 {
				t.Fatalf("mode 2 %v: EDC %x leaves %x", mode2, binary.LittleEndian.Uint32(s[to:]), rest)
			}
		}
	}
}
