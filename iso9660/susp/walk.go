package susp

import (
	"context"
	"iter"

	"burnfs/iso9660"
)

// MaxSystemUse is the number of bytes of System Use entries that Walk reads for
// one record, over all its Continuation Areas. It is far beyond the 62 KiB that
// Linux follows and bounds what a hostile disc can make us read.
const MaxSystemUse = 1 << 20

// A ContinuationReader reads Continuation Areas.
type ContinuationReader interface {
	// ReadContinuation returns the ce.Length bytes of the area. The slice is
	// only used until the next call.
	ReadContinuation(ctx context.Context, ce CE) ([]byte, error)
}

// Walk yields the entries of a System Use field and of the Continuation Areas
// that it leads to, without CE, PD and ST. area begins with the first entry: the
// bytes that SP says to skip are gone. An entry is valid until the next one is
// asked for.
//
// The first error ends the walk. It is what r returned, or the reason for which
// the entries are broken: iso9660.ErrLength, ErrTruncated, ErrLoop, ErrTooMuch.
func Walk(ctx context.Context, area []byte, r ContinuationReader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		total := len(area)
		var next, mark CE
		hops, pending := 0, false
		for {
			e, rest, err := Next(area)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case e != nil:
				area = rest
				if e.Signature() == SignatureCE {
					if next, pending = ParseCE(e); !pending {
						yield(nil, iso9660.ErrLength)
						return
					}
					continue
				}
				if e.Signature() != SignaturePD && !yield(e, nil) {
					return
				}
				continue
			case !pending || next.Length == 0:
				return
			}

			// Brent's cycle detection: the mark moves to every hop whose
			// number is a power of two, so a circle comes back to it.
			pending = false
			if hops > 0 && next == mark {
				yield(nil, iso9660.ErrLoop)
				return
			}
			if hops&(hops-1) == 0 {
				mark = next
			}
			hops++
			if int64(total)+int64(next.Length) > MaxSystemUse {
				yield(nil, iso9660.ErrTooMuch)
				return
			}
			total += int(next.Length)
			if area, err = r.ReadContinuation(ctx, next); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
