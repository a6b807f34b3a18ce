// Package iso9660 gives the structures of an ISO 9660 volume (ECMA-119) and of
// its Joliet extension a shape in Go: typed views over the bytes of a block
// with one accessor and one setter per field, and append-style encoders for the
// structures of variable length. It does no I/O; package volume reads with it,
// package image writes with it.
//
// Clause numbers are those of the second edition of ECMA-119 (December 1987),
// whose numbering every later source quotes. Offsets in the code are counted
// from 0, byte positions (BP) in the standard from 1.
//
// The extensions have packages of their own: susp (how System Use fields are
// shared), rrip (Rock Ridge), aaip (attributes, access control lists), nanotime
// (nanoseconds), checksum (MD5s as of libisofs), zisofs (compressed files).
//
// # A volume
//
// All addresses are Logical Block numbers of 2048 bytes counted from the
// beginning of the medium, not from the beginning of the session.
//
//	start+0  … +15   System Area (ECMA-119 6.2.1), not interpreted
//	start+16         Primary Volume Descriptor (8.4)
//	start+17 …       Supplementary Volume Descriptors (8.5), Boot Records (8.2)
//	          …      Volume Descriptor Set Terminator (8.3)
//	anywhere         path tables (9.4), Type L little and Type M big endian
//	anywhere         directories: extents of Directory Records (9.1)
//	anywhere         files: one or more File Sections (6.5)
//
// # A Directory Record (9.1)
//
//	 0  LEN_DR      1  length of the record, even
//	 1  XAR         1  length of the Extended Attribute Record in blocks
//	 2  location    8  first block of the extent, both-byte order
//	10  data length 8  bytes in this File Section, both-byte order
//	18  date        7  see DirectoryTime
//	25  flags       1  FlagHidden … FlagMultiExtent
//	26  unit size   1  interleaved files only
//	27  gap         1  interleaved files only
//	28  volume      4  Volume Sequence Number, both-byte order
//	32  LEN_FI      1  length of the identifier
//	33  identifier  LEN_FI, and one byte of padding if LEN_FI is even
//	 …  System Use  up to LEN_DR; Rock Ridge lives here, see package susp
//
// A record never crosses a block boundary; a zero in place of LEN_DR says that
// the next record begins in the next block (6.8.1.1).
package iso9660
