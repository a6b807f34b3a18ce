package iso9660

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Joliet (Microsoft, 1995) is a second directory tree, described by a
// Supplementary Volume Descriptor, whose identifiers are in UCS-2, most
// significant byte first.

// jolietEscapes are the escape sequences of levels 1, 2 and 3.
var jolietEscapes = [3]string{"%/@", "%/C", "%/E"}

// JolietMaxCharacters is the longest identifier in characters that the
// specification allows. Identifiers of up to 110 fit into a Directory Record and
// are accepted by the readers of our time.
const JolietMaxCharacters = 64

// IsJolietCharacter tells whether r may be in a Joliet identifier: no control
// character and none of * / : ; ? \.
func IsJolietCharacter(r rune) bool {
	if r < ' ' {
		return false
	}
	switch r {
	case '*', '/', ':', ';', '?', '\\', utf8.RuneError:
		return false
	}
	return true
}

// DecodeUCS2 turns UCS-2, most significant byte first, into UTF-8. Surrogate
// pairs, which Windows and Linux write and read beyond the letter of the
// specification, are taken as one character; an odd last byte is ignored.
func DecodeUCS2(b []byte) string {
	return string(AppendDecodedUCS2(make([]byte, 0, len(b)), b))
}

// AppendDecodedUCS2 appends the UTF-8 form of b to dst, as DecodeUCS2.
func AppendDecodedUCS2(dst, b []byte) []byte {
	for ; len(b) >= 2; b = b[2:] {
		r := rune(MSB16(b))
		if utf16.IsSurrogate(r) && len(b) >= 4 {
			if pair := utf16.DecodeRune(r, rune(MSB16(b[2:]))); pair != utf8.RuneError {
				r = pair
				b = b[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// AppendUCS2 appends s, most significant byte first. Characters beyond the Basic
// Multilingual Plane become surrogate pairs; bytes that are not UTF-8 become
// underscores.
func AppendUCS2(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = '_'
		}
		i += n
		if r > 0xFFFF {
			high, low := utf16.EncodeRune(r)
			dst = append(dst, byte(high>>8), byte(high))
			r = low
		}
		dst = append(dst, byte(r>>8), byte(r))
	}
	return dst
}

// CompareJoliet orders the identifiers of a Joliet directory: as bytes, the
// shorter first where one is the beginning of the other, which is what filling
// up with (00) means.
func CompareJoliet(a, b []byte) int { return bytes.Compare(a, b) }
