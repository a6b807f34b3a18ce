// Package rrip is the Rock Ridge Interchange Protocol: the entries that give a
// Directory Record the name and the attributes of a POSIX file. It reads the
// versions 1.09, 1.10 (1993) and 1.12 (1994) and writes 1.12, whose PX has a
// serial number. Clauses are those of 1.12.
//
//	PX  4.1.1    mode, links, owner, group, serial number
//	PN  4.1.2    device number
//	SL  4.1.3    target of a symbolic link, in component records
//	NM  4.1.4    name, in as many entries as it takes
//	CL  4.1.5.1  in place of a relocated directory: where it is
//	PL  4.1.5.2  in ".." of a relocated directory: where its parent is
//	RE  4.1.5.3  in the record of a relocated directory: do not show this one
//	TF  4.1.6    times
//	SF  4.1.7    sparse file
//
// Directories deeper than the eight levels of ECMA-119 6.8.2.1 are recorded in
// another, shallow one, usually the root's RR_MOVED. CL, PL and RE undo that:
//
//	/a/b/c/d/e/f/g/h      a file "h" with CL ──▶ extent X, NM is the true name
//	/RR_MOVED/h           directory at extent X, with RE: hidden
//	       X: ".."        PL ──▶ extent of /a/b/c/d/e/f/g
package rrip
