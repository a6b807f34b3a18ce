// Package audit reads a disc back and compares it with what is recorded about
// it: the structures of each session, by package check, and the MD5 of each
// session and file that burnfs and libisofs (xorriso) leave on the disc.
//
// Each session with checksums is read once, front to back, and the sums of the
// session and of its files are taken on the way:
//
//	│ descriptors, tree │ file │ file │ … │ array of MD5s │
//	└──────── sum of the session ─────────┘
//	                    └ sum ┘└ sum ┘
//
// A file of an older session that a newer one names again is not read twice:
// the sum taken there is compared with the one carried forward. Of sessions
// without checksums every file is read, so that at least what cannot be read
// is found.
package audit
