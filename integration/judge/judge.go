package judge

import (
	"burnfs/integration/manifest"
)

// Judge is a way of a foreign program to read a disc.
type Judge struct {
	Name string
	// Aspects are what the program shows of each entry.
	Aspects manifest.Aspect
	// Expect is what the program can show of a tree that the disc holds. It may
	// look at what the program did show, to find names that were shortened.
	Expect func(want, got manifest.Tree) manifest.Tree
	// Read describes what the program sees.
	Read func(View) manifest.Tree
}

// All are the judges of a session with Rock Ridge and Joliet.
var All = []Judge{Xorriso, IsoinfoRockRidge, IsoinfoJoliet, Bsdtar, SevenZip}

// Compare lets each judge read the session and fails the test if one of them
// sees something else than want.
func (v View) Compare(want manifest.Tree, judges ...Judge) {
	v.Helper()
	for _, j := range judges {
		got := j.Read(v)
		expect := want
		if j.Expect != nil {
			expect = j.Expect(want, got)
		}
		if d := manifest.Diff(expect, got, j.Aspects); d != "" {
			v.Errorf("%s reads the session at block %d of %s differently:\n%s", j.Name, v.Start, v.File, d)
		}
	}
}

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
