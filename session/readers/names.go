package readers

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"
)

// A nameSet is a set of names that costs eight bytes each: two names out of a million
// are taken for one once in ten million discs. Names are added, then sorted, then
// looked up.
type nameSet struct {
	seed   maphash.Seed
	hashes []uint64
}

func newNameSet() *nameSet { return &nameSet{seed: maphash.MakeSeed()} }

func (s *nameSet) hash(name string) uint64 { return maphash.String(s.seed, name) }

func (s *nameSet) add(name string) { s.hashes = append(s.hashes, s.hash(name)) }

func (s *nameSet) sort() { slices.Sort(s.hashes) }

// count returns how often name was added.
func (s *nameSet) count(name string) int {
	h := s.hash(name)
	i, _ := slices.BinarySearch(s.hashes, h)
	n := 0
	for ; i+n < len(s.hashes) && s.hashes[i+n] == h; n++ {
	}
	return n
}

// devices are names that Windows keeps for devices, with any extension.
var devices = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// refusedByWindows tells whether programs on Windows cannot open a file of this name
// although the driver shows it: its programming interface takes a blank or a period
// from the end of names, and some names for devices.
func refusedByWindows(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	return strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || devices[strings.ToLower(strings.TrimRight(stem, " "))]
}

// maxPath is how long a path may be that all programs on Windows open: MAX_PATH without
// the drive, the colon and the NUL, in UTF-16 units.
const maxPath = 260 - 3

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF && r <= utf8.MaxRune {
			n++
		}
	}
	return n
}
