// Package volume reads an ISO 9660 volume: one session of a disc. Nothing is
// read before it is asked for; a directory is read when it is listed, in one
// pass over its extent, and nothing of it is kept.
//
//	Open ── volume descriptors, first record of the root ──▶ Volume
//	         │
//	         ├─ Root ──▶ Entry ─┐ Directory()
//	         └─ ReadDir(dir) ◀──┘ ──▶ Entry, Entry, …  ──▶ Sections: where the data are
//
// A volume may describe the same files by up to four trees. Rock Ridge is shown
// where there is one, because it alone has the names and attributes of POSIX,
// then Joliet, then the long names of ISO 9660:1999, then the bare names of
// ISO 9660 as Linux shows them by default.
//
// What Rock Ridge takes apart is put together again: names and targets from all
// their entries and Continuation Areas, directories that were relocated where
// they belong (CL followed, RE hidden), files of several sections as one.
//
// A disc is not trusted. A broken record costs that entry, not the directory;
// Continuation Areas that form a circle end in an error. Directories that form a
// circle are only met by whoever descends: Walk does, and ends.
package volume
