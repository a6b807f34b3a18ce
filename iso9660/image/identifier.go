package image

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"burnfs/iso9660"
)

// Limits of identifiers in the ISO 9660 tree, in characters.
//
// A File Name and its extension have 30 together (ECMA-119 7.5.1). A Directory
// Identifier may have 31 (7.6.3); with 30, no path can be longer than the 255
// bytes of 6.8.2.1: the root's identifier, seven directories below it, a file's
// 33 bytes and one for each directory make 1 + 7*30 + 33 + 8 = 252. So depth
// alone decides what has to be relocated.
const (
	isoMaxCharacters = 30
	isoMaxExtension  = 12
)

// Limits of identifiers in the Joliet tree, in UCS-2 characters. The
// specification says 64. All readers of our time take 103, the bound of mkisofs'
// -joliet-long; longer names than 64 are recorded up to there, since a strict
// reader cuts them at worst, as we would have to.
const (
	jolietMaxCharacters = 103
	jolietMaxExtension  = 20
)

// An identifier is kept as stem, '.' and extension while names are made
// unique, in characters of unit bytes each.
type alphabet struct {
	unit         int // bytes per character
	characters   int // limit for stem and extension together
	maxExtension int
	alwaysDot    bool // every identifier has a '.', if only at the end
}

var (
	isoAlphabet    = alphabet{unit: 1, characters: isoMaxCharacters, maxExtension: isoMaxExtension, alwaysDot: true}
	jolietAlphabet = alphabet{unit: 2, characters: jolietMaxCharacters, maxExtension: jolietMaxExtension}
)

// ascii appends s, which is ASCII, in the alphabet's characters.
func (a alphabet) ascii(dst []byte, s string) []byte {
	for i := range len(s) {
		if a.unit == 2 {
			dst = append(dst, 0)
		}
		dst = append(dst, s[i])
	}
	return dst
}

// split cuts id before the dot of its extension. An extension that is too long
// to be one belongs to the stem, as does a dot at the beginning.
func (a alphabet) split(id []byte) (stem, dotExtension []byte) {
	u := a.unit
	for i := len(id) - u; i > 0 && len(id)-i <= (a.maxExtension+1)*u; i -= u {
		if id[i+u-1] == '.' && (u == 1 || id[i] == 0) {
			return id[:i], id[i:]
		}
	}
	return id, nil
}

// cut shortens stem to n characters. A surrogate pair is not torn apart.
func (a alphabet) cut(stem []byte, n int) []byte {
	if len(stem) <= n*a.unit {
		return stem
	}
	stem = stem[:max(n, 0)*a.unit]
	if a.unit == 2 && len(stem) > 0 && stem[len(stem)-2]&0xFC == 0xD8 {
		stem = stem[:len(stem)-2]
	}
	return stem
}

// stemRoom is the number of characters that the stem can have beside this
// extension.
func (a alphabet) stemRoom(dotExtension []byte) int {
	if a.alwaysDot {
		return a.characters - (len(dotExtension)/a.unit - 1)
	}
	return a.characters - len(dotExtension)/a.unit
}

// appendISOKey appends the d-characters that stand for name: "NAME.EXTENSION",
// the dot always present. Directories have no extension.
func appendISOKey(dst []byte, name string, dir bool) []byte {
	stem, extension := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && !dir {
		stem, extension = name[:i], name[i+1:]
	}
	begin := len(dst)
	var ext [isoMaxExtension]byte
	tail := appendDCharacters(ext[:0], extension, isoMaxExtension)
	dst = appendDCharacters(dst, stem, isoMaxCharacters-len(tail))
	if len(dst) == begin {
		dst = append(dst, '_')
	}
	dst = append(dst, iso9660.Separator1)
	return append(dst, tail...)
}

// appendDCharacters appends at most limit characters, one for each rune of s.
func appendDCharacters(dst []byte, s string, limit int) []byte {
	for i := 0; i < len(s) && limit > 0; limit-- {
		c := s[i]
		if c < utf8.RuneSelf {
			dst = append(dst, iso9660.ToDCharacter(c))
			i++
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		dst = append(dst, '_')
		i += n
	}
	return dst
}

// appendIdentifier appends what is recorded for a key.
func appendIdentifier(dst, key []byte, dir bool) []byte {
	if dir {
		return append(dst, bytes.TrimSuffix(key, []byte{iso9660.Separator1})...)
	}
	return append(append(dst, key...), iso9660.Separator2, '1')
}

// appendJolietKey appends the UCS-2 characters that stand for name. shortened
// says that some are missing.
func appendJolietKey(dst []byte, name string) (key []byte, shortened bool) {
	begin := len(dst)
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		i += n
		if !iso9660.IsJolietCharacter(r) {
			r = '_'
		}
		if r < 0x10000 {
			dst = append(dst, byte(r>>8), byte(r))
		} else {
			dst = iso9660.AppendUCS2(dst, string(r))
		}
	}
	whole := dst[begin:]
	if len(whole) <= jolietMaxCharacters*2 {
		return dst, false
	}
	stem, dotExtension := jolietAlphabet.split(whole)
	keep := len(jolietAlphabet.cut(stem, jolietAlphabet.stemRoom(dotExtension)))
	n := copy(whole[keep:], dotExtension)
	return dst[:begin+keep+n], true
}

// sortUnique orders the entries by their ids, which it makes unique by putting
// "_001" and the like at the end of the stem. Of those with equal ids the one
// with the first name keeps it. None gets the id reserved.
func sortUnique(entries []*entry, a alphabet, reserved []byte) {
	// Nothing depends on the order in which the source enumerates: names are
	// unique in a directory, and numbers in the relocation directory.
	byID := func(x, y *entry) int {
		return cmp.Or(bytes.Compare(x.id, y.id), strings.Compare(x.node.Name, y.node.Name), cmp.Compare(x.sub, y.sub))
	}
	if !slices.IsSortedFunc(entries, byID) {
		slices.SortFunc(entries, byID)
	}
	var clashing []*entry
	for i, e := range entries {
		if i > 0 && bytes.Equal(e.id, entries[i-1].id) || bytes.Equal(e.id, reserved) {
			clashing = append(clashing, e)
		}
	}
	if clashing == nil {
		return
	}
	original := make([][]byte, len(entries))
	for i, e := range entries {
		original[i] = e.id
	}
	counters := map[string]int{}
	given := map[string]struct{}{}
	for _, e := range clashing {
		e.id = a.another(e.id, counters, func(id []byte) bool {
			if _, taken := slices.BinarySearchFunc(original, id, bytes.Compare); taken || bytes.Equal(id, reserved) {
				return true
			}
			_, taken := given[string(id)]
			return taken
		})
		given[string(e.id)] = struct{}{}
	}
	slices.SortFunc(entries, byID)
}

// another finds an identifier like id that is not taken. counters remembers,
// for each shortened form, the number to try next.
func (a alphabet) another(id []byte, counters map[string]int, taken func([]byte) bool) []byte {
	const fewestDigits = 3
	stem, dotExtension := a.split(id)
	room := a.stemRoom(dotExtension)
	for digits := fewestDigits; ; {
		short := a.cut(stem, room-1-digits)
		form := string(short) + string(dotExtension)
		suffix := fmt.Sprintf("_%0*d", fewestDigits, counters[form])
		if len(suffix) > 1+digits {
			digits++
			continue
		}
		counters[form]++
		candidate := make([]byte, 0, len(id)+len(suffix)*a.unit)
		candidate = append(candidate, short...)
		candidate = a.ascii(candidate, suffix)
		candidate = append(candidate, dotExtension...)
		if !taken(candidate) {
			return candidate
		}
	}
}
