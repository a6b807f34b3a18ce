// Package check finds out whether one session of a disc is what its standards
// demand: ISO 9660, Joliet, Rock Ridge, AAIP, the nanoseconds of package nanotime
// and the checksums of package checksum. It looks at the structures themselves, not
// at what package volume makes of them, since a reader has to be lenient where a
// checker must not be.
//
//	descriptors ──▶ checksum tags ──▶ ISO 9660 tree ──▶ its path tables
//	                                     │  relocation, links, serial numbers
//	                                     ▼
//	                                  Joliet tree ──▶ its path tables
//	                                     │  the same files in both
//	                                     ▼
//	                                  extents: no two overlap
//	                                     ▼
//	                                  MD5s of superblock, tree and array;
//	                                  with Options.Data of session and files
//
// # What is a fault
//
// Each kind of fault is a Rule with a clause of a standard and a severity. An
// Error is what makes some reader show something wrong: a name, an attribute or
// bytes that are not those that were recorded, or nothing where something is. A
// Warning deviates from the standard, and no reader in use minds.
//
// Not faults, because they are how discs are made: extents below the session's own
// start, which a continued session has; extents that several files share, also after
// one of them was cut or changed in its middle; more than eight levels of directories; Joliet names of up to 103
// characters; a saturated parent number in a path table of more than 65535
// directories; AAIP and nanoseconds without an ER of their own (SUSP 1.10 allows
// it); empty files that lie anywhere.
//
// A volume space size that counts from the session's start instead of the medium's,
// as mkisofs writes it, is a warning by itself. It is an error for what it makes
// Linux drop: records whose continuation area lies beyond it.
//
// # Bounds
//
// Memory grows by 25 bytes for each File Section and each Continuation Area, by 40 more
// for each file with a checksum, by 16 for each name of a file with several, and by some
// 150 bytes for each directory. Time is at most in proportion to what can be
// read of the medium, whatever its structures say: extents that do not overlap
// cannot be longer, together, than the highest block that could be read, and once
// they are the rest is given up with a finding of the rule Limit.
package check
