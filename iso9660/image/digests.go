package image

import (
	"crypto/sha256"
	"fmt"
)

// digests are those of the whole content of each file with an index. A SHA-256 is
// zero where it is not known, as of files that another program recorded.
type digests struct {
	md5s    sumList[[16]byte]
	sha256s sumList[[sha256.Size]byte]
}

// slabSums is how many sums are allocated at a time.
const slabSums = 1024

// A sumList holds the sums of all files until they are written, behind the
// content of the last of them. It grows without being copied.
type sumList[T any] struct{ slabs [][]T }

func (l *sumList[T]) add(sum T) {
	last := len(l.slabs) - 1
	if last < 0 || len(l.slabs[last]) == slabSums {
		l.slabs = append(l.slabs, make([]T, 0, slabSums))
		last++
	}
	l.slabs[last] = append(l.slabs[last], sum)
}

func (l *sumList[T]) len() uint32 {
	last := len(l.slabs) - 1
	if last < 0 {
		return 0
	}
	return uint32(last*slabSums + len(l.slabs[last]))
}

// all yields the sums in the order of their indexes.
func (l *sumList[T]) all(yield func(*T) bool) {
	for _, slab := range l.slabs {
		for i := range slab {
			if !yield(&slab[i]) {
				return
			}
		}
	}
}

// complete says whether there are as many as were laid out.
func (l *sumList[T]) complete(h Header) error {
	if n := l.len(); n != h.Digests {
		return fmt.Errorf("image: %d checksums instead of %d: %w", n, h.Digests, ErrSourceChanged)
	}
	return nil
}
