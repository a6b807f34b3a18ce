package posix

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script is one case.
type script struct {
	name   string
	reason string // the rule that is under test
	// prepare makes what act uses. On a mount of several sessions there is a
	// commit after each step.
	prepare []func(p *place)
	act     func(p *place)
	// differs lists the lines that are not the same on a mount.
	differs []difference
}

// difference is a line of a transcript that is another one on the mount.
type difference struct{ reference, mount, reason string }

// scripts are all cases.
func scripts() []script {
	return slices.Concat(
		permissionScripts(), timeScripts(), nameScripts(), renameScripts(), linkScripts(), openScripts(), dataScripts(),
		specialScripts(), lockScripts(), mapScripts(), directoryScripts(), xattrScripts(), aclScripts(),
	)
}

// expected is what the mount's transcript must be, given the reference's.
func (s script) expected(t *testing.T, reference []string) []string {
	t.Helper()
	want := slices.Clone(reference)
	for _, d := range s.differs {
		if d.reason == "" {
			t.Errorf("%s: the difference %q has no reason", s.name, d.mount)
		}
		found := false
		for i, line := range reference {
			if line == d.reference {
				found, want[i] = true, d.mount
			}
		}
		if !found {
			t.Errorf("%s: the reference does not say %q any more", s.name, d.reference)
		}
	}
	return want
}

// compare tells how a mount's transcript differs from what it must be.
func compare(want, got []string) string {
	var b strings.Builder
	for i := range max(len(want), len(got)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			fmt.Fprintf(&b, "\n  line %d\n    want: %s\n    got:  %s", i+1, w, g)
		}
		if b.Len() > 4000 {
			b.WriteString("\n  …")
			break
		}
	}
	return b.String()
}

// TestScriptsAreWellFormed: names are unique, each script says what it is for.
func TestScriptsAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range scripts() {
		if seen[s.name] || s.name == "" || strings.ContainsAny(s.name, "/ ") {
			t.Errorf("%q is no name for a script, or not a new one", s.name)
		}
		seen[s.name] = true
		if s.reason == "" || s.act == nil {
			t.Errorf("%s has no reason or nothing to do", s.name)
		}
	}
}

// TestDifferencesAreExact: a line that differs is found, in both directions, and
// a difference that does not show is an error.
func TestDifferencesAreExact(t *testing.T) {
	if d := compare([]string{"a", "b"}, []string{"a", "b"}); d != "" {
		t.Errorf("equal transcripts differ: %s", d)
	}
	for _, got := range [][]string{{"a"}, {"a", "b", "c"}, {"a", "x"}, nil} {
		if compare([]string{"a", "b"}, got) == "" {
			t.Errorf("%q passes for a, b", got)
		}
	}
	s := script{name: "s", differs: []difference{{"a", "x", "because"}}}
	if got := s.expected(t, []string{"a", "b", "a"}); !slices.Equal(got, []string{"x", "b", "x"}) {
		t.Errorf("expected %q", got)
	}
	var silent testing.T
	s.expected(&silent, []string{"b"})
	if !silent.Failed() {
		t.Error("a difference that does not show passes")
	}
}
