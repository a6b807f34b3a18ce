// Package manifest describes a directory tree so that two descriptions of it,
// made by different programs, can be compared name by name and byte by byte.
//
//	"a/b"  kind f  size 5  sha256 2cf2…  0644  0:0  mtime …  names {a/b, c}
//	 │
//	 └ path below the root as raw bytes; the root itself is "."
//
// Not every program shows everything. A comparison is therefore told which
// aspects both sides know; what a side does not know is never guessed.
package manifest
