package fsck

import (
	"fmt"

	"burnfs/session/staging"
)

// Severity says how bad a finding is.
type Severity int

const (
	// Doubtful findings may have an innocent reason.
	Doubtful Severity = iota
	// Damage is what cannot be in a store that is whole.
	Damage
)

func (s Severity) String() string {
	if s == Damage {
		return "damage"
	}
	return "doubtful"
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Kind says what is wrong. The values are part of the JSON form; none may change its
// meaning.
type Kind string

// The kinds of findings.
const (
	KindVersion   Kind = "version"         // a later burnfs wrote the store
	KindIdentity  Kind = "identity"        // disc.json
	KindDatabase  Kind = "database"        // the structure of meta.db
	KindLog       Kind = "log"             // the end of the log, or the size of a segment
	KindRange     Kind = "range"           // bytes of a file that are not in the log
	KindShared    Kind = "shared"          // bytes of the log that two files have
	KindHole      Kind = "hole"            // bytes of a file that are a hole in the log
	KindInode     Kind = "inode"           // the record of an inode
	KindName      Kind = "name"            // the record of a name, or the name itself
	KindDangling  Kind = "dangling"        // a name means an inode that is not there
	KindParent    Kind = "parent"          // the directory of a name is not there
	KindOrphan    Kind = "orphan"          // nothing has the name of an inode
	KindLinks     Kind = "links"           // the link count is not the number of names
	KindTwice     Kind = "twice"           // a directory in two places
	KindCycle     Kind = "cycle"           // a directory that lies in itself
	KindSequence  Kind = "sequence"        // change numbers
	KindNextInode Kind = "next-ino"        // an inode number that would be given out again
	KindJournal   Kind = "journal"         // what is known of the disc and of a running burn
	KindPlan      Kind = "plan"            // the files of an interrupted burn
	KindUnknown   Kind = "unknown"         // a file that burnfs does not make
	KindBase      Kind = "base"            // what staging says of the disc and the disc does not
	KindUnread    Kind = "unreadable-disc" // a directory of the disc cannot be read
)

// Finding is something wrong in a store.
type Finding struct {
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	// Ino is the inode concerned, 0 if none in particular. Parent and Name are set if it is
	// a name.
	Ino    uint64 `json:"ino,omitempty"`
	Parent uint64 `json:"parent,omitempty"`
	Name   string `json:"name,omitempty"`
	// Path is where it is on the disc, as far as staging knows.
	Path string `json:"path,omitempty"`
	// Range is the part of the log concerned.
	Range *Range `json:"range,omitempty"`
	// Text says what is wrong.
	Text string `json:"text"`
	// Means says what it means for the user's data, and what to do next.
	Means string `json:"means"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s. %s", f.Severity, f.Text, f.Means)
}

// Range is a range of the log in bytes.
type Range struct {
	Addr int64 `json:"addr"`
	Len  int64 `json:"len"`
}

func rangeOf(r staging.Range) *Range { return &Range{r.Addr, r.Len} }

// MaxFindings bounds Report.Findings.
const MaxFindings = 1000

// Report is the result of a check.
type Report struct {
	Findings []Finding `json:"findings"`
	// More counts the findings beyond MaxFindings.
	More int `json:"more,omitempty"`
	// Deep tells that the disc was looked at, or need not be.
	Deep bool `json:"deep"`
}

// Damaged tells whether there is damage among the findings.
func (r *Report) Damaged() bool {
	for _, f := range r.Findings {
		if f.Severity == Damage {
			return true
		}
	}
	return false
}

func (r *Report) add(f Finding) {
	if len(r.Findings) < MaxFindings {
		r.Findings = append(r.Findings, f)
		return
	}
	r.More++
	if f.Severity == Damage && !r.Damaged() {
		r.Findings[MaxFindings-1] = f
	}
}

// What findings mean, where several mean the same.
const (
	rescue       = "`burnfs staging export` copies out what can still be read; do that before anything else"
	meansMount   = "The disc cannot be mounted with these changes. " + rescue + ", then `burnfs staging drop`"
	meansNothing = "No data is lost by this. The next mount puts it right"
)
