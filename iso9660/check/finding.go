package check

import (
	"errors"
	"fmt"
	"strings"
)

// A Finding is one fault of a session.
type Finding struct {
	Rule     Rule     `json:"rule"`
	Severity Severity `json:"severity"`
	// Clause is the part of a standard that is not complied with.
	Clause string `json:"clause"`
	// LBA is the block in which the faulty structure lies, and Offset the byte
	// of this block with which it begins.
	LBA    uint32 `json:"block"`
	Offset int    `json:"offset"`
	// Path names what is affected, from the root, which is "/". It is empty for
	// what belongs to no file. Its bytes are those of the disc.
	Path string `json:"path,omitempty"`
	What string `json:"message"`
}

// New makes a finding of what is outside of a session's structures, for callers that
// know more of the disc than this package.
func New(rule Rule, lba uint32, what string) Finding { return finding(rule, lba, 0, "", "%s", what) }

func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: block %d, byte %d", f.Severity, f.LBA, f.Offset)
	if f.Path != "" {
		fmt.Fprintf(&b, ", %q", f.Path)
	}
	fmt.Fprintf(&b, ": %s (%v, %s)", f.What, f.Rule, f.Clause)
	return b.String()
}

// Severity says what a finding means for readers of the disc.
type Severity int

// The severities.
const (
	Warning Severity = iota + 1 // deviates from the standard; no reader in use minds
	Error                       // some reader will show something wrong, or nothing
)

func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity %d", int(s))
}

// MarshalText makes JSON say "warning" or "error".
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes what MarshalText gives. The error wraps ErrUnknown.
func (s *Severity) UnmarshalText(name []byte) error {
	for known := Warning; known <= Error; known++ {
		if known.String() == string(name) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("severity %q: %w", name, ErrUnknown)
}

// ErrUnknown says that a later version of this package may know the name.
var ErrUnknown = errors.New("no such name")
