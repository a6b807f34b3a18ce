package volume

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"burnfs/iso9660"
)

// maxName is the greatest length of a name in bytes that Linux lets through.
const maxName = 255

// namelessName is shown for a file of whose name nothing is left that could be
// one, so that it can be read.
const namelessName = "_"

// maxTarget is that of the target of a symbolic link (PATH_MAX - 1).
const maxTarget = 4095

// Names are those of a directory, each with the number that is tried first for the
// next file of this name: a hostile disc may have thousands of one name.
//
// ReadDir yields a name as often as a directory says it. Whoever can show each only
// once asks Names for all entries in their order, so that the second file is not
// lost and has the same name each time.
type Names map[string]int

// Own is name, or one like it that is not taken; it then is.
func (taken Names) Own(name string) string {
	i, ok := taken[name]
	if !ok {
		taken[name] = 2
		return name
	}
	for ; ; i++ {
		suffix := "~" + strconv.Itoa(i)
		own := name[:min(len(name), maxName-len(suffix))] + suffix
		if _, ok := taken[own]; !ok {
			taken[own], taken[name] = 2, i+1
			return own
		}
	}
}

// safeName makes a name of Rock Ridge usable: a disc may say anything. The result
// is empty if there is no usable name, so that the ISO name stands in.
func safeName(name []byte) string {
	if string(name) == "." || string(name) == ".." {
		return ""
	}
	if n := maxName; len(name) > n {
		for n > maxName-utf8.UTFMax && !utf8.RuneStart(name[n]) {
			n--
		}
		name = name[:n]
	}
	if bytes.IndexByte(name, '/') < 0 && bytes.IndexByte(name, 0) < 0 {
		return string(name)
	}
	return strings.NewReplacer("/", "_", "\x00", "_").Replace(string(name))
}

// plainName gives an ISO name the form in which Linux shows it by default
// (map=normal): small letters, no version 1 and no empty extension.
func plainName(identifier []byte) string {
	name := make([]byte, 0, len(identifier))
	for i, c := range identifier {
		switch rest := identifier[i:]; {
		case c == 0, string(rest) == ".;1", string(rest) == ";1":
			return string(name)
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == ';', c == '/':
			c = '.'
		}
		name = append(name, c)
	}
	return string(name)
}

// enhancedName is a name of ISO 9660:1999: as it is recorded, apart from what only
// the older edition demanded.
func enhancedName(identifier []byte) string {
	name, version := bytes.CutSuffix(identifier, []byte(";1"))
	if version {
		name = bytes.TrimSuffix(name, []byte("."))
	}
	return safeName(name)
}

// jolietName decodes a Joliet identifier, without version 1.
func jolietName(identifier []byte) string {
	var buffer [3 * maxName]byte
	name := iso9660.AppendDecodedUCS2(buffer[:0], identifier)
	return safeName(bytes.TrimSuffix(name, []byte(";1")))
}
