// Package posix asks whether a mount behaves as a local file system does. It
// covers the ground of pjdfstest, fsx and fsstress with scripts of its own.
//
// # Scripts
//
// A script is a small program of system calls that writes down what each of
// them returned. It runs on a mount of burnfs and on a tmpfs, and both
// transcripts must be equal. What may differ between file systems is written
// down as a relation: inode numbers as "the same as that file's", times as
// "kept", "now" or a value that was set, directories without their sizes.
//
//	           prepare                    act
//	tmpfs      ───────────────────────────────────────────▶ transcript
//	                                                           ║ equal, but for the
//	mount      ─────▶ commits, remounts ─────▶ with commits ─▶ ║ differences of the
//	                  as the kind says         or without      ▼ script, with reasons
//
// The kinds of mount say where the files come from that a script acts on:
//
//	blank      all in the overlay
//	session    prepared in the only session of the disc
//	sessions   prepared in several sessions
//	commits    as sessions, and each place where a script allows it has a commit
//
// The test process only starts children: they make the calls. Where POSIX lets
// a file system choose, or FUSE imposes something, a script's differences name
// both lines and the reason; a difference that does not show fails the test, too.
//
// # Beyond scripts
//
// TestFsx lets random data operations run against a model in memory,
// TestNamespace random operations of several processes against the rules that
// hold in any order, TestStressors and TestFio programs of other people,
// TestIdentity compares all that stat(2) tells before and after a commit.
package posix
