package speed

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"burnfs/mmc"
)

// Wish is a speed as a user names it; the zero value leaves it to the drive. At
// most one field is set.
type Wish struct {
	Times float64 // multiples of the medium's base speed
	KBps  int     // kB/s
}

// Bounds of what can be asked for, far beyond any drive.
const (
	maxTimes = 1000
	maxKBps  = 1 << 22
)

// ErrSyntax says what a speed looks like.
var ErrSyntax = errors.New("a speed is a multiple such as 4x, or a number of kB/s (1000 bytes per second)")

// Parse reads "4x", "2.4x" or "5540".
func Parse(s string) (Wish, error) {
	if times, ok := strings.CutSuffix(strings.ToLower(s), "x"); ok {
		f, err := strconv.ParseFloat(times, 64)
		// Not what ParseFloat knows besides decimal numbers, such as 0x1p4.
		if err != nil || strings.ContainsFunc(times, func(c rune) bool { return (c < '0' || c > '9') && c != '.' }) || f <= 0 || f > maxTimes {
			return Wish{}, ErrSyntax
		}
		return Wish{Times: f}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxKBps {
		return Wish{}, ErrSyntax
	}
	return Wish{KBps: n}, nil
}

// IsZero reports whether no speed was asked for.
func (w Wish) IsZero() bool { return w == Wish{} }

// String is the wish as Parse reads it, "" for none.
func (w Wish) String() string {
	switch {
	case w.Times > 0:
		return strconv.FormatFloat(w.Times, 'f', -1, 64) + "x"
	case w.KBps > 0:
		return strconv.Itoa(w.KBps)
	}
	return ""
}

// Set makes a Wish the value of a flag.
func (w *Wish) Set(s string) (err error) {
	*w, err = Parse(s)
	return err
}

// Type names the kind of value in the help of a flag.
func (w *Wish) Type() string { return "SPEED" }

// base is the single speed of the three families of media in kB/s: CD-ROM mode 1
// has 75 blocks of 2352 bytes a second; DVD 1385 kB/s; BD 4496 kB/s (MMC-5 4.2,
// 4.3, 4.5).
func base(p mmc.Profile) float64 {
	switch {
	case p.IsCD():
		return 176.4
	case p >= mmc.ProfileBDROM && p <= mmc.ProfileBDRE:
		return 4495.5
	case p >= mmc.ProfileDVDROM && p <= mmc.ProfileDVDPlusRDL:
		return 1385
	}
	return 0
}

// For is the wish in kB/s on a medium of profile p, 0 if nothing is wished or
// if p has no base speed.
func (w Wish) For(p mmc.Profile) int {
	if w.Times > 0 {
		return int(math.Round(w.Times * base(p)))
	}
	return w.KBps
}

// Text is a speed on a medium of profile p for people: "4x (5540 kB/s)".
func Text(p mmc.Profile, kBps uint32) string {
	b := base(p)
	if b == 0 {
		return fmt.Sprintf("%d kB/s", kBps)
	}
	return fmt.Sprintf("%sx (%d kB/s)", strconv.FormatFloat(math.Round(float64(kBps)/b*10)/10, 'f', -1, 64), kBps)
}
