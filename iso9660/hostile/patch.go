package hostile

import (
	"encoding/binary"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// maxSites bounds the memory for an image that is hostile already.
const maxSites = 1 << 16

// Sites lists where structures of the volume at block start begin, as byte
// addresses of the image: descriptors and their fields, path tables, directory
// records, the fields of both, System Use entries. It does not mind what is broken.
func Sites(image []byte, start uint32) []int {
	s := siteFinder{image: image, seen: make(map[uint32]bool)}
	for i := range uint32(8) {
		d := s.block(start + iso9660.FirstDescriptor + i)
		if d == nil || d[0] == iso9660.TypeTerminator {
			break
		}
		at := int(start+iso9660.FirstDescriptor+i) * iso9660.BlockSize
		// Type, identifier, escape sequences, sizes, path tables, root, dates.
		for _, field := range [...]int{0, 1, 80, 88, 120, 128, 132, 140, 144, 148, 156, 158, 166, 181, 188, 813, 881, 883} {
			s.add(at + field)
		}
		s.add(int(binary.LittleEndian.Uint32(d[140:])) * iso9660.BlockSize)
		s.add(int(binary.BigEndian.Uint32(d[148:])) * iso9660.BlockSize)
		s.directory(binary.LittleEndian.Uint32(d[158:]), binary.LittleEndian.Uint32(d[166:]))
	}
	if len(s.all) == 0 {
		s.all = append(s.all, 0)
	}
	return s.all
}

type siteFinder struct {
	image []byte
	all   []int
	seen  map[uint32]bool // blocks of directories
}

func (s *siteFinder) add(at int) {
	if at >= 0 && at < len(s.image) && len(s.all) < maxSites {
		s.all = append(s.all, at)
	}
}

func (s *siteFinder) block(lba uint32) []byte {
	from := int64(lba) * iso9660.BlockSize
	if from+iso9660.BlockSize > int64(len(s.image)) {
		return nil
	}
	return s.image[from:][:iso9660.BlockSize]
}

func (s *siteFinder) directory(lba, size uint32) {
	for ; size > 0; lba, size = lba+1, size-min(size, iso9660.BlockSize) {
		b := s.block(lba)
		if b == nil || s.seen[lba] {
			return
		}
		s.seen[lba] = true
		for offset := 0; offset < len(b) && b[offset] != 0; {
			r, err := iso9660.ParseDirectoryRecord(b[offset:])
			if err != nil {
				break
			}
			at := int(lba)*iso9660.BlockSize + offset
			for _, field := range [...]int{0, 1, 2, 10, 18, 25, 26, 28, 32, 33} {
				s.add(at + field)
			}
			s.systemUse(r.SystemUse(), at+r.Length()-len(r.SystemUse()), 4)
			if r.IsDirectory() && !r.IsSelf() && !r.IsParent() {
				s.directory(r.Location(), r.DataLength())
			}
			offset += r.Length()
		}
	}
}

// systemUse adds the entries of an area, and those of the Continuation Area behind
// it, up to so many.
func (s *siteFinder) systemUse(area []byte, at, hops int) {
	for {
		e, rest, err := susp.Next(area)
		if err != nil || e == nil {
			return
		}
		for _, field := range [...]int{0, 2, susp.HeaderSize, susp.HeaderSize + 1} {
			s.add(at + field)
		}
		if ce, ok := susp.ParseCE(e); ok && hops > 0 {
			for field := susp.HeaderSize; field < susp.SizeCE; field += 8 {
				s.add(at + field)
			}
			from := int64(ce.LBA)*iso9660.BlockSize + int64(ce.Offset)
			if to := from + int64(ce.Length); to <= int64(len(s.image)) {
				s.systemUse(s.image[from:to], int(from), hops-1)
			}
		}
		area, at = rest, at+len(e)
	}
}

// Patch changes image as program says: instructions of some bytes each, read until
// there are no more. Any program makes sense.
//
//	op  site  arguments
//	0   2     bytes to put there, up to 15: op / 16 tells how many
//	1   2     a byte to be combined with the one there by exclusive or
//	2   2     number of an interesting value, to be put there in both byte orders
//	3   2     four bytes, likewise
//	4   2     another site, the first 4 × (op / 16) bytes of which are put there
//	5   2     another site, whose block address is put there in both byte orders
//	6   3     bytes to put there, as 0, but the address counts from the beginning
//	7   2     a byte to be put there op / 16 times
func Patch(image []byte, sites []int, program []byte) {
	p := program
	next := func(n int) []byte {
		b := make([]byte, n)
		p = p[copy(b, p):]
		return b
	}
	site := func() int { return sites[int(binary.BigEndian.Uint16(next(2)))%len(sites)] }
	put := func(at int, b []byte) { copy(image[min(at, len(image)):], b) }
	both := func(v uint32) []byte { return iso9660.AppendBoth32(nil, v) }
	for len(p) > 0 {
		op := next(1)[0]
		n := int(op >> 4)
		switch op & 7 {
		case 0:
			put(site(), next(n))
		case 1:
			at := site()
			put(at, []byte{image[at] ^ next(1)[0]})
		case 2:
			put(site(), both(interesting(next(1)[0], image)))
		case 3:
			put(site(), both(binary.BigEndian.Uint32(next(4))))
		case 4:
			to, from := site(), site()
			put(to, append([]byte(nil), image[from:min(from+4*n, len(image))]...))
		case 5:
			to, from := site(), site()
			put(to, both(uint32(from/iso9660.BlockSize)))
		case 6:
			b := next(3)
			put((int(b[0])<<16|int(b[1])<<8|int(b[2]))%len(image), next(n))
		case 7:
			at, b := site(), next(1)[0]
			for i := range n {
				put(at+i, []byte{b})
			}
		}
	}
}

// interesting is a number at which readers stumble.
func interesting(i byte, image []byte) uint32 {
	blocks := uint32(len(image) / iso9660.BlockSize)
	all := [...]uint32{
		0, 1, 2, 3, 15, 16, 31, 32, 34, iso9660.BlockSize - 1, iso9660.BlockSize, iso9660.BlockSize + 1,
		1 << 16, 1 << 20, 1<<20 + 1, 1<<31 - 1, 1 << 31, 1<<32 - iso9660.BlockSize, 1<<32 - 2, 1<<32 - 1,
		blocks, blocks - 1, blocks + 1, uint32(len(image)), blocks / 2,
	}
	return all[int(i)%len(all)]
}
