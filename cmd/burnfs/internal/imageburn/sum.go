package imageburn

import (
	"bytes"
	"hash"

	"burnfs/iso9660"
)

// A blockSum sums whole blocks up. Zeros at the end are counted only: on a CD the
// last of them may not be read back.
type blockSum struct {
	hash.Hash        // of all blocks without the zeros at the end
	zeros     uint32 // blocks of them
}

var zeroBlock [iso9660.BlockSize]byte

func (s *blockSum) add(p []byte) {
	begin := 0 // of what is to be hashed
	for at := 0; at < len(p); at += iso9660.BlockSize {
		if bytes.Equal(p[at:at+iso9660.BlockSize], zeroBlock[:]) {
			s.Write(p[begin:at])
			s.zeros++
			begin = at + iso9660.BlockSize
			continue
		}
		for ; s.zeros > 0; s.zeros-- {
			s.Write(zeroBlock[:])
		}
	}
	s.Write(p[begin:])
}

// alongside adds p in a goroutine, until whose end p stays as it is and s is left alone.
func (s *blockSum) alongside(p []byte) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		s.add(p)
	}()
	return done
}

func (s *blockSum) equal(t blockSum) bool {
	return s.zeros == t.zeros && bytes.Equal(s.Sum(nil), t.Sum(nil))
}
