package iscsi

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of text (RFC 7143 6.1).
const (
	maxKeyLen   = 63
	maxValueLen = 255 // but for lists and names that say otherwise; none is longer here
	// maxTextLen is how long a text may get that goes over several PDUs, and
	// maxPairs how many keys it may have. Initiators need a tenth of it.
	maxTextLen = 64 << 10
	maxPairs   = 256
)

// pair is a key and its value.
type pair struct{ key, value string }

// parseText takes the data segment of a login or text request apart: keys and
// values joined by "=", each pair followed by a zero byte (RFC 7143 6.1).
// Superfluous zero bytes are tolerated.
func parseText(b []byte) ([]pair, error) {
	if len(b) > maxTextLen {
		return nil, fmt.Errorf("%w: a text of %d bytes", errPDU, len(b))
	}
	var pairs []pair
	for s := range strings.SplitSeq(string(b), "\x00") {
		if s == "" {
			continue
		}
		key, value, ok := strings.Cut(s, "=")
		if !ok || !validKey(key) || len(value) > maxValueLen {
			return nil, fmt.Errorf("%w: %.80q is no key=value", errPDU, s)
		}
		if len(pairs) == maxPairs {
			return nil, fmt.Errorf("%w: more than %d keys", errPDU, maxPairs)
		}
		pairs = append(pairs, pair{key, value})
	}
	return pairs, nil
}

// validKey is key-name of RFC 7143 6.1: a capital letter first, but for keys of
// other standards, then letters, digits and a few signs.
func validKey(key string) bool {
	if key == "" || len(key) > maxKeyLen {
		return false
	}
	for i, c := range []byte(key) {
		letter := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= c && c <= '9') && !strings.ContainsRune(".-+@_/#", rune(c))) {
			return false
		}
	}
	return true
}

// formatText is the inverse of parseText.
func formatText(pairs []pair) []byte {
	var b []byte
	for _, p := range pairs {
		b = append(append(append(append(b, p.key...), '='), p.value...), 0)
	}
	return b
}

// parseNumber reads a numerical value (RFC 7143 6.1: decimal or hexadecimal
// constant).
func parseNumber(s string) (uint32, bool) {
	base := 10
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = rest, 16
	} else if rest, ok := strings.CutPrefix(s, "0X"); ok {
		s, base = rest, 16
	}
	if strings.ContainsAny(s, "+-_") {
		return 0, false
	}
	v, err := strconv.ParseUint(s, base, 32)
	return uint32(v), err == nil
}
