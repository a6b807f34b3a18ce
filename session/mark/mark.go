// Package mark is the line that burnfs leaves in the Application Use field of
// the Primary Volume Descriptor of its sessions (ECMA-119 8.4.32, bytes 884 to
// 1395): readable text, filled up with spaces.
//
//	burnfs/1 disc=3f0c… session=4 start=70432 prev=31296 next-ino=5120 files=310 dirs=12 tree=96
//
// On overwritable media there is a word sbsector=36 more, and the descriptors at the
// session's beginning tell its own size (package iso9660/format).
//
// Other readers skip the field. A session without a mark, or with one that
// does not name the session's own first block, was written by somebody else.
package mark

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Size of the Application Use field in bytes.
const Size = 512

const magic = "burnfs/1"

// ErrNone: the field holds no mark of ours.
var ErrNone = errors.New("no burnfs mark")

// Mark says of a session what its tree cannot.
type Mark struct {
	Disc     string // identity of the disc, the same in all its sessions
	Session  int    // number on the disc, from 1
	Start    uint32 // first block of the session, LBA
	Previous uint32 // first block of the session before; 0 for the first
	NextIno  uint64 // lowest PX file serial number not used yet
	Files    int64  // regular files, each counted once whatever its names
	Dirs     int64  // directories
	Tree     int64  // blocks of descriptors, path tables and directories
	// Sbsector is 16 blocks before the descriptors whose volume space size counts
	// from the beginning of the medium; 0 if those at Start do.
	Sbsector uint32
}

// Encode returns the 512 bytes of the field.
func (m Mark) Encode() ([]byte, error) {
	if m.Disc == "" || strings.ContainsAny(m.Disc, " =\x00") {
		return nil, fmt.Errorf("mark: disc identity %q", m.Disc)
	}
	s := fmt.Sprintf("%s disc=%s session=%d start=%d prev=%d next-ino=%d files=%d dirs=%d tree=%d",
		magic, m.Disc, m.Session, m.Start, m.Previous, m.NextIno, m.Files, m.Dirs, m.Tree)
	if m.Sbsector != 0 {
		s += fmt.Sprintf(" sbsector=%d", m.Sbsector)
	}
	if len(s) > Size {
		return nil, fmt.Errorf("mark: %d bytes", len(s))
	}
	return []byte(s + strings.Repeat(" ", Size-len(s))), nil
}

// Parse reads the field. Words it does not know are skipped: later versions
// may add some. ErrNone means that the field is not ours.
func Parse(field []byte) (Mark, error) {
	words := strings.Fields(strings.TrimRight(string(field), "\x00 "))
	if len(words) == 0 || words[0] != magic {
		return Mark{}, ErrNone
	}
	var m Mark
	seen := 0
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return Mark{}, fmt.Errorf("%w: word %q", ErrNone, w)
		}
		if key == "disc" {
			m.Disc = value
			seen++
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return Mark{}, fmt.Errorf("%w: word %q", ErrNone, w)
		}
		switch key {
		case "session":
			m.Session = int(min(n, 1<<31-1))
		case "start", "prev", "sbsector":
			if n >= 1<<32 {
				return Mark{}, fmt.Errorf("%w: word %q", ErrNone, w)
			}
			switch key {
			case "start":
				m.Start = uint32(n)
			case "prev":
				m.Previous = uint32(n)
			default:
				m.Sbsector = uint32(n)
				continue // not every mark has it
			}
		case "next-ino":
			m.NextIno = uint64(n)
		case "files":
			m.Files = n
		case "dirs":
			m.Dirs = n
		case "tree":
			m.Tree = n
		default:
			continue
		}
		seen++
	}
	if seen < 8 || m.Disc == "" {
		return Mark{}, fmt.Errorf("%w: incomplete", ErrNone)
	}
	return m, nil
}
