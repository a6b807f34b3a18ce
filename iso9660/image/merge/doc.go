// Package merge is the source of a continuation session: what an earlier
// session of the disc shows, and over it the files of another source, as mkisofs
// makes it with -C and -M.
//
//	earlier session ──volume──▶ ┐
//	                            ├─ Source ──▶ image.Plan …
//	new files, any Source ────▶ ┘
//
// Where both have a name, the new one wins, unless both are directories: then
// the content of the two is merged likewise, and the new one's attributes are
// recorded. Content of the earlier session stays where it is; its checksums are
// carried forward. Relocation of deep directories has been undone by package
// volume, and is done anew by the builder.
package merge
