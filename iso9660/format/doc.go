// Package format is the document of what burnfs records on a disc, in enough detail
// for a second implementation. It holds no code; the packages it names give each
// structure a type, and a comment with its fields. What is said here of the whole
// holds for every session that burnfs wrote.
//
// Clauses without a name are those of ECMA-119. Numbers are recorded in both byte
// orders, little endian first: both16 in four bytes (7.2.3), both32 in eight (7.3.3).
// Block means a Logical Block of 2048 bytes; addresses count from the beginning of the
// medium.
//
// # A disc
//
// On media that are written once the drive keeps a table of sessions. A session begins
// at the drive's next writable address and is closed when it is whole; the gap to the
// next one is up to the drive:
//
//	│ session 1 │ gap │ session 2 │ gap │ session 3 │ … can be written
//
// Overwritable media and image files have no such table. Sessions begin at multiples
// of 32 blocks, and blocks 0 to 31 repeat the System Area and the volume descriptors
// of the newest, with libisofs' tag for a relocated superblock behind them. Those
// blocks are replaced last, in one write, when all else was read back:
//
//	│ 0: descriptors of 3 │ 32: session 1 │ session 2 │ session 3 │ … can be written
//
// If another program began such a medium with an image at block 0, only its
// descriptors are replaced; they were copied in front of the first session of burnfs,
// and the mark of that one (below) leads to them.
//
// Every session has a tree of the whole disc: directories are recorded anew, and
// files that did not change keep the address of the session that recorded them.
//
// # A session
//
//	start +0   System Area, 16 blocks: zeros, or what the disc boots by (6.2.1)
//	      +16  Primary Volume Descriptor (8.4)
//	           Boot Record (8.2), if the disc is bootable: package eltorito
//	           Supplementary Volume Descriptor of Joliet (8.5)
//	           Volume Descriptor Set Terminator (8.3)
//	           superblock tag: package checksum
//	           on overwritable media, the descriptors once more, see below
//	           boot catalogue, if it changed with this session
//	           path tables (9.4), Type L, then Type M
//	           directories in the order of the walk: for each its extent, then its
//	             continuation area, if there is one; those that are relocated stand
//	             behind the root, each with what is below it, the deepest first
//	           Joliet path tables, Joliet directories
//	           tree tag
//	           new content of files in the order of the walk, each from a block on
//	           SHA-256s, MD5s, session tag: package checksum
//	           zeros up to the length that the medium asks for
//
// The walk: a directory's entries in the order of the bytes of their names, then each
// of its directories in that order, walked likewise.
//
// # Volume descriptors
//
// As ECMA-119 8.4 and 8.5 have them, fields that are not named being zeros or blanks,
// and dates the digit zero:
//
//	  0  type                1     1 primary, 2 Joliet, 0 Boot Record, 255 terminator
//	  1  standard identifier 5     "CD001"
//	  6  version             1     1
//	  8  system identifier   32    "LINUX"
//	 40  volume identifier   32    d-characters; UCS-2 big endian in Joliet
//	 80  volume space size   both32  blocks from the beginning of the medium, not of
//	                               the session, to the end of the session: Linux takes
//	                               no continuation area at or beyond it; for sessions
//	                               of overwritable media see below
//	 88  escape sequences    32    Joliet: "%/E", UCS-2 level 3
//	120  volume set size     both16  1
//	124  volume sequence     both16  1
//	128  logical block size  both16  2048
//	132  path table size     both32  bytes of one table
//	140  Type L path table   4     its block, little endian; no second one
//	148  Type M path table   4     its block, big endian; no second one
//	156  root record         34    the "." of the root without System Use
//	318  publisher           128
//	446  data preparer       128   "BURNFS"
//	574  application         128   "BURNFS"
//	813  creation time       17    when the session was laid out
//	830  modification time   17    the same
//	881  structure version   1     1
//	883  application use     512   the mark: one line of text, see session/mark
//
// On overwritable media a session begins with descriptors that count the volume space
// size from the beginning of the session: libisoburn takes the sum of both for where
// the next one begins, rounded up to 32 blocks. Behind their superblock tag the whole
// set is repeated with sizes that count from the beginning of the medium, as do those
// at block 16. The mark's word sbsector= names the block 16 before the repeated ones.
// On a medium that began as an image at block 0, libisoburn does not look for sessions,
// and all sizes count from the beginning of the medium.
//
// The mark tells the number of the session, where it begins, where the one before it
// does, and the next free serial number. A session without one, or whose mark names
// another start, was written by somebody else. Readers need nothing of it.
//
// # Path tables
//
// Records of 8 bytes and an identifier, padded to an even length (9.4): length of the
// identifier, 0, block of the directory (4 bytes), number of its parent (2 bytes). The
// root is number 1, is its own parent, and its identifier is a zero byte. Directories
// are ordered by depth, then by their parent's number, then by identifier (6.9.1).
// Beyond 65535 directories the number of the parent stays 65535.
//
// # Directories
//
// A directory begins with its own record, identifier 00h, and that of its parent, 01h
// (6.8.2.2); the others follow in the order of 9.3. No record crosses a block. A file
// of several sections (6.5.1) has one record for each, all but the last with the
// multi-extent flag and a whole number of blocks; they agree in all but location and
// length. A section is at most 4 GiB less one block long. Files without content have
// a location of the session's own and a length of zero.
//
// Identifiers follow level 2 of interchange (10.2): d-characters, at most 30 of them in
// a File Name and its extension, made from the name and made different from each
// other by digits; ";1" follows those of files. The true name is in NM. Where directories would be deeper than eight levels,
// they are relocated (package rrip), unless the session was asked not to.
//
// Joliet shows directories and regular files, not the rest, at the same addresses and
// at their true depth. Names are the true ones in UCS-2, at most 103 characters, with
// an underscore for what Joliet does not admit.
//
// # System Use
//
// Entries in the order in which they are recorded. What has no room in the record
// stands, in this order, in the continuation area behind the directory; CE, last in
// the record, leads there. Packages susp, rrip, aaip, zisofs, nanotime and checksum
// have the bytes of each.
//
//	SP  root "." only      SUSP 5.3: the protocol is in use, nothing is skipped
//	RE  relocated names    RRIP 4.1.5.3
//	PX  every record       RRIP 4.1.1, 44 bytes: mode, links, owner, group, serial
//	                       number; equal numbers are names of one file
//	TF  every record       RRIP 4.1.6, flags 0Eh: times of modification, access and
//	                       attribute change in 7 bytes each, in UTC
//	BF  where a time has   package nanotime: the nanoseconds, in the order of TF
//	    a fraction
//	CL  in place of a      RRIP 4.1.5.1
//	    relocated directory
//	PL  its ".."           RRIP 4.1.5.2
//	PN  devices            RRIP 4.1.2
//	ZF  compressed files   package zisofs; burnfs keeps it and never makes it
//	NM  all but . and ..   RRIP 4.1.4: the name in its own bytes, up to 255
//	SL  symbolic links     RRIP 4.1.3
//	ER  root "." only      SUSP 5.5: IEEE_1282, which is RRIP 1.12
//	AL  where there are    AAIP 2.0: extended attributes, those without a value first,
//	    attributes         access control lists, and in front of them the notes
//	                       isofs.cx of files, isofs.ca and isofs.st of the root; if all
//	                       are without a value, the note isofs.bf, "1", follows, since
//	                       libisofs takes no list whose last value is empty
//	BH  root "." only      package checksum: where the array of SHA-256s is
//
// AL, BF and BH have no ER of their own: SUSP 1.10 does not ask for one, and libisofs
// warns of each that it does not know. Readers skip what they do not know (SUSP 4.1).
//
// # Versions of what is burnfs' own
//
//	BF, version 1  package nanotime
//	BH, version 1  package checksum
//	mark burnfs/1  package session/mark
//
// Each may be missing. A reader that meets a higher version of one takes it for
// missing. Discs of every released version are kept among the tests.
//
// # To read a disc
//
// Find the newest session: the drive's last, or block 0. From its block 16 on, take
// the Primary Volume Descriptor, and its root record. If the "." of that directory
// has SP, put the name of each record together from its NMs, follow CE and CL, hide
// what has RE, and take type and owner from PX. A file's content is that of its
// sections, one after the other. That is all: the rest can be ignored.
//
// # To continue one
//
// Read the tree of the newest session. Record all directories anew behind the last
// session, with the old addresses of what did not change, old indexes and checksums
// under new ones, and the serial numbers of PX as they were. On an overwritable medium,
// replace blocks 0 to 31 when everything else is there.
package format
