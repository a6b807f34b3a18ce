package image

import (
	"fmt"
)

// Digests are those of the whole content of a file. SHA256 is zero where it is
// not known, as of files that another program recorded.
type Digests struct {
	MD5    [16]byte
	SHA256 [32]byte
}

// slabDigests is how many digests are allocated at a time.
const slabDigests = 1024

// A digestList holds the digests of all files until they are written, behind the
// content of the last of them. It grows without being copied.
type digestList struct{ slabs [][]Digests }

func (l *digestList) add(d Digests) {
	last := len(l.slabs) - 1
	if last < 0 || len(l.slabs[last]) == slabDigests {
		l.slabs = append(l.slabs, make([]Digests, 0, slabDigests))
		last++
	}
	l.slabs[last] = append(l.slabs[last], d)
}

func (l *digestList) len() uint32 {
	last := len(l.slabs) - 1
	if last < 0 {
		return 0
	}
	return uint32(last*slabDigests + len(l.slabs[last]))
}

// all yields the digests in the order of their indexes.
func (l *digestList) all(yield func(*Digests) bool) {
	for _, slab := range l.slabs {
		for i := range slab {
			if !yield(&slab[i]) {
				return
			}
		}
	}
}

// complete says whether there are as many as were laid out.
func (l *digestList) complete(h Header) error {
	if n := l.len(); n != h.Digests {
		return fmt.Errorf("image: %d checksums instead of %d: %w", n, h.Digests, ErrSourceChanged)
	}
	return nil
}
