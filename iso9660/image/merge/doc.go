// Package merge is the source of a continuation session: what an earlier
// session of the disc shows, and over it the files of another source, as mkisofs
// makes it with -C and -M.
//
//	disc ──Load──▶ Earlier ──volume──▶ ┐
//	                                   ├─ Source ──▶ image.Plan …
//	new files, any image.Source ─────▶ ┘
//
// [Load] copies the blocks that describe the earlier session, none of the content
// of its files, to a temporary file without a name, so that the disc is free when
// the first block of the new session is to be written. Memory does not grow with
// the number of files.
//
// Where both have a name, the new one wins, unless both are directories: then
// the content of the two is merged likewise, and the new one's attributes are
// recorded, or the old one's if the new one has no time of modification, which
// says that it only stands for a part of a path. Content of the earlier session
// stays where it is; its checksums are carried forward. Relocation of deep
// directories has been undone by package volume, and is done anew by the builder.
package merge
