package recorder

import (
	"fmt"
	"strings"

	"burnfs/mmc"
)

// Mode is how a sequential medium is written, where MMC leaves a choice.
type Mode uint8

// Modes. Media that know one way only are written that way, and take
// ModeDefault and the name of that way.
const (
	// ModeDefault is the mode that leaves the most possible later: TAO on CD,
	// incremental on DVD-R and DVD-RW where the drive offers it.
	ModeDefault Mode = iota
	// ModeTAO writes a CD track at once (MMC-5 7.5.4, write type 01h).
	ModeTAO
	// ModeSAO writes a CD session at once from a cue sheet (MMC-5 7.5.4, write
	// type 02h; 6.33).
	ModeSAO
	// ModeIncremental writes DVD-R and DVD-RW in packets, one session after the
	// other (MMC-5 7.5.4, write type 00h; 5.3.11).
	ModeIncremental
	// ModeDAO writes a blank DVD-R or DVD-RW in one go, after which it is closed
	// (MMC-5 7.5.4, write type 02h; 5.3.25).
	ModeDAO
)

var modeNames = [...]string{ModeDefault: "default", ModeTAO: "tao", ModeSAO: "sao", ModeIncremental: "incremental", ModeDAO: "dao"}

// String returns the name that ParseMode understands.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return "mode?"
}

// ModeNames lists the names ParseMode knows.
func ModeNames() []string { return append([]string(nil), modeNames[:]...) }

// ParseMode returns the mode with the given name, in upper or lower case. The
// error lists the names there are.
func ParseMode(name string) (Mode, error) {
	for m, n := range modeNames {
		if strings.EqualFold(n, name) {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("%q is no way to write a disc; choose one of %s", name, strings.Join(modeNames[:], ", "))
}

// AtOnce reports whether the mode describes the whole recording to the drive
// before its first block: Options.Blocks must then be known, and Options.Final
// is decided with it.
func (m Mode) AtOnce() bool { return m == ModeSAO || m == ModeDAO }

// wrongMode refuses a mode that does not exist for the medium.
func wrongMode(p mmc.Profile, m Mode, possible ...Mode) error {
	names := make([]string, len(possible))
	for i, q := range possible {
		names[i] = q.String()
	}
	how := "leave the choice to the program"
	if len(names) > 0 {
		how = "use " + strings.Join(names, " or ") + ", or " + how
	}
	return &NotWritableError{Reason: fmt.Sprintf("A %v cannot be written in the mode %v: %s.", p, m, how)}
}
