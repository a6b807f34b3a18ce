// Package susp is the System Use Sharing Protocol, version 1.12 (1994): how
// extensions of ISO 9660 such as Rock Ridge share the System Use field of
// Directory Records.
//
//	Directory Record                      Continuation Area, anywhere
//	┌──────────┬──────────────────────┐   ┌──────────────────────────┐
//	│ ECMA-119 │ PX  TF  NM  CE ──────┼──▶│ NM  SL  SL  CE ──────────┼──▶ …
//	└──────────┴──────────────────────┘   └──────────────────────────┘
//
// Every entry begins with the same four bytes (4.1):
//
//	0  signature  2  two characters
//	2  LEN        1  length of the entry in bytes, with these four
//	3  version    1
//	4  data       LEN - 4
//
// An area ends at its last byte, at ST, at three or fewer bytes that remain, or
// at a zero byte where a signature should be, which is how some producers pad. A
// CE takes effect when the entries of its own area are through (5.1).
//
// The first entry of the "." record of the root is SP; it says that the protocol
// is in use and how many bytes every other System Use field has in front of its
// first entry (5.3).
package susp
