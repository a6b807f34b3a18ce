package tree

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"

	"burnfs/iso9660"
)

// Delta says when a changed file keeps the blocks that the disc has of it: the
// least number of bytes that this has to save, or one of the values below. Some
// old systems cannot read files of several sections, and every reader seeks
// between them.
type Delta int64

const (
	// DeltaAuto saves at least 4 MiB and an eighth of the file. Less is not worth
	// that some readers do not see the file.
	DeltaAuto Delta = 0
	// DeltaOff writes a changed file anew, in as few sections as possible.
	DeltaOff Delta = -1
)

const (
	autoSaves = 4 << 20
	autoPart  = 8
)

// ParseDelta reads auto, off, or a number of bytes with one of the usual suffixes.
func ParseDelta(s string) (Delta, error) {
	switch strings.ToLower(s) {
	case "auto":
		return DeltaAuto, nil
	case "off":
		return DeltaOff, nil
	}
	n, err := humanize.ParseBytes(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is none of auto, off, and a number of bytes such as 512K or 1MiB", s)
	case n < iso9660.BlockSize:
		return 0, fmt.Errorf("%q is less than a block of %d bytes, and nothing less can be saved", s, iso9660.BlockSize)
	case n > math.MaxInt64:
		return 0, fmt.Errorf("%q is more than any file has; delta=off writes changed files anew", s)
	}
	return Delta(n), nil
}

// String is what ParseDelta reads.
func (d Delta) String() string {
	switch {
	case d == DeltaAuto:
		return "auto"
	case d < 0:
		return "off"
	}
	return fmt.Sprint(int64(d))
}

// Least is how many bytes have to be saved of a file of so many.
func (d Delta) Least(size int64) int64 {
	switch {
	case d == DeltaAuto:
		return max(autoSaves, size/autoPart)
	case d < 0:
		return math.MaxInt64
	}
	return int64(d)
}
