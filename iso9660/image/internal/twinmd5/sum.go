package twinmd5

import (
	"crypto/md5"
	"encoding/binary"
	"hash"
)

// A Sum takes the MD5 of all that is written to it, and that of a part of it.
type Sum struct {
	twins *twins // nil where the processor has no instructions for them
	whole hash.Hash
	part  hash.Hash
}

// New returns a Sum to which nothing was written yet.
func New() *Sum {
	if fast {
		t := new(twins)
		t.reset(whole)
		t.reset(part)
		return &Sum{twins: t}
	}
	return portable()
}

func portable() *Sum { return &Sum{whole: md5.New(), part: md5.New()} }

// Write adds p to the whole alone.
func (s *Sum) Write(p []byte) {
	if s.twins != nil {
		s.twins.write(whole, p)
		return
	}
	s.whole.Write(p)
}

// WriteBoth adds p to the whole and to the part.
func (s *Sum) WriteBoth(p []byte) {
	if s.twins != nil {
		s.twins.writeBoth(p)
		return
	}
	s.whole.Write(p)
	s.part.Write(p)
}

// Begin begins another part.
func (s *Sum) Begin() {
	if s.twins != nil {
		s.twins.reset(part)
		return
	}
	s.part.Reset()
}

// Whole is the MD5 of all so far.
func (s *Sum) Whole() (sum [md5.Size]byte) {
	if s.twins != nil {
		return s.twins.sum(whole)
	}
	s.whole.Sum(sum[:0])
	return sum
}

// Part is the MD5 of the part so far.
func (s *Sum) Part() (sum [md5.Size]byte) {
	if s.twins != nil {
		return s.twins.sum(part)
	}
	s.part.Sum(sum[:0])
	return sum
}

// The twins, by their place in the registers.
const (
	whole = iota
	part
)

// twins are the two MD5s that are made side by side.
type twins struct {
	// words are A of both, B of both, C and D.
	words [8]uint32
	rest  [2][md5.BlockSize]byte // what does not fill a block yet
	have  [2]int                 // bytes of it
	size  [2]uint64              // bytes of the message so far
}

// initial are A to D before the first block (RFC 1321 3.3).
var initial = [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}

func (t *twins) reset(who int) {
	for i, w := range initial {
		t.words[2*i+who] = w
	}
	t.have[who], t.size[who] = 0, 0
}

func (t *twins) writeBoth(p []byte) {
	if t.have[whole] == 0 && t.have[part] == 0 {
		n := len(p) &^ (md5.BlockSize - 1)
		blocks(&t.words, p[:n])
		t.size[whole] += uint64(n)
		t.size[part] += uint64(n)
		p = p[n:]
	}
	t.write(whole, p)
	t.write(part, p)
}

func (t *twins) write(who int, p []byte) {
	t.size[who] += uint64(len(p))
	if t.have[who] > 0 {
		n := copy(t.rest[who][t.have[who]:], p)
		t.have[who] += n
		if p = p[n:]; t.have[who] == md5.BlockSize {
			t.alone(who, t.rest[who][:])
			t.have[who] = 0
		}
	}
	if n := len(p) &^ (md5.BlockSize - 1); n > 0 {
		t.alone(who, p[:n])
		p = p[n:]
	}
	if len(p) > 0 {
		t.have[who] = copy(t.rest[who][:], p)
	}
}

// alone adds whole blocks to one of the two.
func (t *twins) alone(who int, p []byte) {
	before := t.words
	blocks(&t.words, p)
	for i := range initial {
		t.words[2*i+1-who] = before[2*i+1-who]
	}
}

// sum pads a copy of the message (RFC 1321 3.1, 3.2) and leaves t as it is.
func (t *twins) sum(who int) (sum [md5.Size]byte) {
	c := *t
	var end [2 * md5.BlockSize]byte
	n := copy(end[:], c.rest[who][:c.have[who]])
	end[n] = 0x80
	size := md5.BlockSize
	if n+1+8 > md5.BlockSize {
		size = 2 * md5.BlockSize
	}
	binary.LittleEndian.PutUint64(end[size-8:], 8*c.size[who])
	c.alone(who, end[:size])
	for i := range initial {
		binary.LittleEndian.PutUint32(sum[4*i:], c.words[2*i+who])
	}
	return sum
}
