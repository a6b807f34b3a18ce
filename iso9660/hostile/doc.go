// Package hostile makes discs that lie, for the tests of everything that reads
// discs. It is to structures what package faulty of mmc is to drives.
//
//	Patch    an image that somebody's program made ──▶ the same with a few
//	         structures changed, as a fuzzer's bytes say
//	Discs    a table: one lie each, recorded among files that are well
//
// Whoever reads such a disc has to report the lie as an error of the entry that
// tells it, to show everything else, and to need neither more time nor more memory
// than a small multiple of what is shown.
package hostile
