package readers

import "burnfs/iso9660/volume"

// A Report is what each reader shows of a disc.
type Report struct {
	Newest  int      `json:"newest"` // number of the newest session that can be read
	Files   int64    `json:"files"`  // in it
	Dirs    int64    `json:"dirs"`   // likewise, without the root
	Readers []Reader `json:"readers"`
	Older   []Older  `json:"older"` // further sessions that can be shown, newest first
}

// A Reader is a program or a drive that shows discs to people.
type Reader struct {
	Name    string `json:"name"`
	Session int    `json:"session"` // the number of what it shows; 0 for nothing
	Tree    string `json:"tree"`    // which tree of it: a volume.TreeKind
	// Remarks say what is not as burnfs shows it; empty if nothing is.
	Remarks []Remark `json:"remarks"`
	Command string   `json:"command,omitempty"` // with which the newest session is shown nevertheless
}

// A Remark is something that a reader shows differently.
type Remark struct {
	Effect   Effect   `json:"effect"`
	Count    int64    `json:"count,omitempty"` // of the names concerned; 0 where the whole session is meant
	What     string   `json:"what"`
	Examples []string `json:"examples,omitempty"` // the first few of them, from the root
}

// An Effect is how much a remark matters.
type Effect string

// What happens to the names that a remark is about.
const (
	Lost    Effect = "lost"    // not shown, or with other content than recorded
	Changed Effect = "changed" // under another name, or without attributes
	Note    Effect = "note"    // as recorded; good to know
)

// An Older is a session that is not the newest, and how to see it.
type Older struct {
	Session  int       `json:"session"`
	Start    uint32    `json:"start"` // first block
	Commands []Command `json:"commands"`
}

// A Command shows a session to a user of the system named.
type Command struct {
	System string `json:"system"`
	Line   string `json:"line"`
}

// treeName is the field's word for a tree.
func treeName(k volume.TreeKind) string {
	switch k {
	case volume.RockRidge:
		return "Rock Ridge"
	case volume.Joliet:
		return "Joliet"
	}
	return "ISO 9660"
}
