package iso9660

import "bytes"

// Separators inside a File Identifier (ECMA-119 7.4.3).
const (
	Separator1 = '.' // between File Name and File Name Extension
	Separator2 = ';' // before the File Version Number
)

// IsDCharacter tells whether c is one of the d-characters: A to Z, 0 to 9 and the
// underscore (7.4.1).
func IsDCharacter(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// IsACharacter tells whether c is one of the a-characters: the d-characters, the
// space and ! " % & ' ( ) * + , - . / : ; < = > ? (7.4.1).
func IsACharacter(c byte) bool {
	return c >= ' ' && c <= '?' && c != '#' && c != '$' || IsDCharacter(c)
}

// ToDCharacter gives the d-character that stands for c: small letters become
// capital, everything else that is not allowed becomes an underscore.
func ToDCharacter(c byte) byte {
	switch {
	case IsDCharacter(c):
		return c
	case c >= 'a' && c <= 'z':
		return c - 'a' + 'A'
	}
	return '_'
}

// ToDCharacters maps every byte of s by ToDCharacter. It suits the Volume
// Identifier (8.4.6) and the Volume Set Identifier (8.4.19).
func ToDCharacters(s string) string { return mapBytes(s, ToDCharacter) }

// ToACharacters maps s to a-characters in the same way. It suits the system,
// publisher, data preparer and application identifiers (8.4.5, 8.4.20 to 8.4.22).
func ToACharacters(s string) string {
	return mapBytes(s, func(c byte) byte {
		if IsACharacter(c) {
			return c
		}
		return ToDCharacter(c)
	})
}

func mapBytes(s string, mapping func(byte) byte) string {
	b := make([]byte, len(s))
	for i := range len(s) {
		b[i] = mapping(s[i])
	}
	return string(b)
}

// CompareIdentifiers orders the File and Directory Identifiers of a directory as
// 9.3 demands: by name, then by extension, each as if the shorter were filled up
// with spaces, then by version number, the highest first.
func CompareIdentifiers(a, b []byte) int {
	aName, aExtension, aVersion := splitIdentifier(a)
	bName, bExtension, bVersion := splitIdentifier(b)
	if order := compareFilled(aName, bName, ' '); order != 0 {
		return order
	}
	if order := compareFilled(aExtension, bExtension, ' '); order != 0 {
		return order
	}
	return compareVersions(bVersion, aVersion)
}

func splitIdentifier(id []byte) (name, extension, version []byte) {
	name, version, _ = bytes.Cut(id, []byte{Separator2})
	name, extension, _ = bytes.Cut(name, []byte{Separator1})
	return name, extension, version
}

func compareFilled(a, b []byte, filler byte) int {
	for i := range max(len(a), len(b)) {
		x, y := filler, filler
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return int(x) - int(y)
		}
	}
	return 0
}

// compareVersions fills the shorter one up with zeros on the left.
func compareVersions(a, b []byte) int {
	for i := max(len(a), len(b)); i > 0; i-- {
		x, y := byte('0'), byte('0')
		if i <= len(a) {
			x = a[len(a)-i]
		}
		if i <= len(b) {
			y = b[len(b)-i]
		}
		if x != y {
			return int(x) - int(y)
		}
	}
	return 0
}
