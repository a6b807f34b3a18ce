package judge

import (
	"regexp"
	"strings"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// legal is what isovfy complains of because it does not know it: the flag of a file
// section that is not the last one (ECMA-119 9.1.6), and a signature with a digit, which
// the compressed files of xorriso's zisofs version 2 have.
var legal = strings.NewReplacer("Flags=(80) ", "", "Z2**BAD SUSP 90 50]", "Z2]")

// complaint is what isovfy 1.1.11 says of a directory record that it does not like
// (check_tree and parse_rr in isovfy.c). It prints the record behind it, or before.
var complaint = regexp.MustCompile(`File name length=|\*\*|Improper sorting|Extent==0|Flags=|Interleave=|` +
	`File unit size=|Volume sequence number=|Reserved bit|Incorrect length|Flag [0-9a-f]+ !=`)

// CannotVerify is why isovfy cannot look at a session that holds want, or nothing.
// It collects a target in 1024 bytes and a record, the target included, in 1024
// others, and crashes when they are full (symlinkname and lbuffer in isovfy.c).
func CannotVerify(want manifest.Tree) string {
	for _, e := range want {
		if len(e.Target) > 700 {
			return "it crashes on symbolic links of about 1000 bytes"
		}
	}
	return ""
}

// Isovfy lets isovfy look at the directories of the session, which must have nothing
// to say of them. It compares each directory's "." and ".." with where it lies and
// where its parent does, and looks at flags, lengths, and Rock Ridge entries. It does
// not see contents, path tables, Joliet, the order of names, nor whether an extent
// lies within the disc.
func (v View) Isovfy() {
	v.Helper()
	r := harness.Try(v, "isovfy", v.Plain())
	if r.Code != 0 {
		v.Fatalf("%v", r)
	}
	for line := range strings.Lines(r.Stdout) {
		if complaint.MatchString(legal.Replace(line)) {
			v.Errorf("isovfy of the session at block %d of %s: %q", v.Start, v.File, line)
		}
	}
	if !strings.HasPrefix(r.Stdout, "Root at extent ") {
		v.Errorf("isovfy says nothing of the root:\n%v", r)
	}
}
