package judge

import (
	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// Judge is a way of a foreign program to read a disc.
type Judge struct {
	Name string
	// Aspects are what the program shows of each entry.
	Aspects manifest.Aspect
	// Cannot is why the program cannot read a disc with this tree at all, "" if it
	// can. Nil stands for a program that can read everything.
	Cannot func(want manifest.Tree) string
	// Expect is what the program can show of a tree that the disc holds. It may
	// look at what the program did show, to find names that were shortened.
	Expect func(want, got manifest.Tree) manifest.Tree
	// Read describes what the program sees.
	Read func(View) manifest.Tree
}

// All are the judges of a session with Rock Ridge and Joliet.
var All = []Judge{Xorriso, IsoinfoRockRidge, IsoinfoJoliet, Bsdtar, SevenZip, IsoInfoRockRidge, IsoInfoJoliet}

// Compare lets each judge that can read it read the session, and fails the test if
// one of them sees something else than want. They read side by side.
func (v View) Compare(want manifest.Tree, judges ...Judge) {
	v.Helper()
	var readings []func()
	for _, j := range judges {
		if j.Cannot == nil || j.Cannot(want) == "" {
			readings = append(readings, func() { v.compare(want, j) })
		}
	}
	harness.Together(v, readings...)
}

func (v View) compare(want manifest.Tree, j Judge) {
	v.Helper()
	got := j.Read(v)
	if j.Expect != nil {
		want = j.Expect(want, got)
	}
	if d := manifest.Diff(want, got, j.Aspects); d != "" {
		v.Errorf("%s reads the session at block %d of %s differently:\n%s", j.Name, v.Start, v.File, d)
	}
}

// cannotLongTargets is a reason of some programs, in front of "a target …".
func cannotLongTargets(what string) func(manifest.Tree) string {
	return func(want manifest.Tree) string {
		for _, e := range want {
			if len(e.Target) > 1024 {
				return what + " a target of more than 1024 bytes"
			}
		}
		return ""
	}
}

// smallDevice tells whether a device number has no more than eight bits in each part.
func smallDevice(rdev uint64) bool { return unix.Major(rdev) < 256 && unix.Minor(rdev) < 256 }

// change returns a copy of the tree in which f has changed copies of entries.
func change(t manifest.Tree, f func(name string, e *manifest.Entry)) manifest.Tree {
	out := make(manifest.Tree, len(t))
	for name, e := range t {
		c := *e
		f(name, &c)
		out[name] = &c
	}
	return out
}
