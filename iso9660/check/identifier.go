package check

import (
	"bytes"

	"burnfs/iso9660"
)

// Limits of identifiers in bytes.
const (
	maxFileIdentifier      = 30 + 2 + 5 // 7.5.1: name and extension, separators, version number
	maxDirectoryIdentifier = 31         // 7.6.3
	maxEnhancedIdentifier  = 207        // ISO 9660:1999
	maxJolietIdentifier    = 2 * 103    // what mkisofs' -joliet-long writes and all readers take
)

// identifier checks the identifier of an entry, and its order (9.3).
func (r *dirReader) identifier(e *entry) {
	order := iso9660.CompareIdentifiers
	id := e.identifier
	if r.joliet {
		order = iso9660.CompareJoliet
		id = jolietStem(id)
	}
	if r.previous != nil {
		switch n := order(r.previous, id); {
		case n == 0:
			r.tree.report(DuplicateName, e.where, "the directory holds the identifier %q twice", e.identifier)
		case n > 0 && !r.unordered:
			r.tree.report(DirectoryOrder, e.where, "the identifier %q follows %q", e.identifier, r.previous)
			r.unordered = true
		}
	}
	r.previous = append(r.previous[:0], id...)
	if r.joliet {
		r.jolietIdentifier(e, id)
		return
	}
	directory := e.flags&iso9660.FlagDirectory != 0
	allowed := r.allowed(id, directory)
	// Where a directory was relocated from, everybody keeps its identifier.
	formed := wellFormed(id, directory) || e.use.hasCL && r.rockRidge && wellFormed(id, true)
	if allowed && !formed && !r.quiet && !r.tree.enhanced {
		f := &r.tree.irregular
		if f.count++; f.count == 1 {
			f.first = r.tree.finding(IdentifierForm, e.where, "the identifier %q is not made of d-characters, with dot and version number in that of a file", id)
		}
	}
	if !r.irregular && !allowed {
		r.irregular = true
		r.tree.report(RecordIdentifier, e.where, "the identifier %q has characters or a length that are not allowed", id)
	}
}

// allowed tells whether an identifier keeps to level 3 of interchange (10.3), or, with
// an Enhanced descriptor, to ISO 9660:1999. Characters that are
// printed but not allowed are for wellFormed to tell.
func (t *tree) allowed(id []byte, directory bool) bool {
	limit := maxFileIdentifier
	if directory {
		limit = maxDirectoryIdentifier
	}
	if t.enhanced {
		limit = maxEnhancedIdentifier
	}
	for _, b := range id {
		if b < ' ' || b == '/' || b == 0x7F {
			return false
		}
	}
	return len(id) <= limit
}

// wellFormed tells whether an identifier is what 7.5.1 and 7.6.1 demand, but for its
// length: d-characters, in that of a file with one dot, and a version number from 1 to
// 32767 behind a semicolon.
func wellFormed(id []byte, directory bool) bool {
	name := id
	if !directory {
		var version, extension []byte
		var ok bool
		if name, version, ok = bytes.Cut(id, []byte{iso9660.Separator2}); !ok || !isVersion(version) {
			return false
		}
		if name, extension, ok = bytes.Cut(name, []byte{iso9660.Separator1}); !ok || len(name)+len(extension) == 0 || !allD(extension) {
			return false
		}
	}
	return allD(name)
}

func allD(b []byte) bool {
	for _, c := range b {
		if !iso9660.IsDCharacter(c) {
			return false
		}
	}
	return true
}

func isVersion(b []byte) bool {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		if n = n*10 + int(c-'0'); n > 32767 {
			return false
		}
	}
	return n > 0
}

// jolietStem is a Joliet identifier without the version number that some producers
// give it.
func jolietStem(id []byte) []byte { return bytes.TrimSuffix(id, []byte("\x00;\x001")) }

func (r *dirReader) jolietIdentifier(e *entry, id []byte) {
	if len(id)%2 != 0 {
		r.tree.report(JolietIdentifier, e.where, "the identifier has %d bytes, which are no whole characters", len(id))
		return
	}
	if r.irregular {
		return
	}
	if len(id) > maxJolietIdentifier {
		r.irregular = true
		r.tree.report(RecordIdentifier, e.where, "the identifier has %d characters", len(id)/2)
	}
	for i := 0; i < len(id); i += 2 {
		if c := rune(iso9660.MSB16(id[i:])); !iso9660.IsJolietCharacter(c) {
			r.irregular = true
			r.tree.report(RecordIdentifier, e.where, "the identifier has the character %U, which is not allowed", c)
			return
		}
	}
}

// plainName is what an identifier looks like, for messages.
func (t *tree) plainName(id []byte) string {
	if t.joliet {
		return iso9660.DecodeUCS2(jolietStem(id))
	}
	return string(bytes.TrimSuffix(bytes.TrimSuffix(id, []byte(";1")), []byte(".")))
}
