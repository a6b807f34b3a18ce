// Package readers tells what other computers will show of a disc: which session,
// which of its trees, and which files look different there or are not shown.
//
//	disc ──▶ Survey: the newest session walked once per tree ─┐
//	                                                          ├─▶ Report, a Reader each
//	sessions, kind of medium ─────────────────────────────────┘
//
// The rules are what is publicly known of the readers; nothing of them is run here.
//
//	reader        session                        tree, the first that is there
//	Linux isofs   the last that the drive names  Rock Ridge, Joliet, ISO 9660
//	Windows       the same, else block 16        Joliet, ISO 9660
//	macOS         the same                       Rock Ridge, Joliet, ISO 9660
//	xorriso       the last                       Rock Ridge, Joliet, ISO 9660
//
// Linux: fs/isofs/inode.c (isofs_fill_super, isofs_get_last_session) and rock.c, and
// isofs_read_level3_size, which gives up after 100 sections. Windows: the CDFS sample
// driver that Microsoft publishes (CdFindPrimaryVd, CdFindActiveVolDescriptor,
// CdLookupLastFileDirent, CdConvertNameToCdName, pathsup.c: directories are found by
// the path table, whose parent numbers have 16 bits), and the naming rules of the
// Windows programming interface. macOS: cd9660 as Apple published it with XNU
// (iso_mountfs; cd9660_blockmap knows one extent for a file); what later releases do
// is not known. xorriso: its manual.
//
// Readers that cannot read files of several sections are among the others only if there
// is such a file. FreeBSD: what Wikipedia says of its cd9660. libarchive 3.6.2 and
// genisoimage 1.1.11: what they do, which was tried.
package readers
