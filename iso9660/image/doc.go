// Package image builds ISO 9660 images with Rock Ridge and Joliet, also as the
// continuation of earlier sessions: addresses are those of the medium, and the
// content of a file may lie, wholly or in part, in blocks recorded before.
//
// An image is built forward only. [Plan] enumerates the [Source] once and fixes
// every address; [Layout.WriteTree] and [Layout.Files] enumerate it again and
// produce the bytes in ascending order, so that an image can go straight to a
// drive which takes no seek.
//
//	Start ┌──────────────────────────────┐ ┐
//	      │ system area, 16 blocks       │ │
//	      │ primary volume descriptor    │ │
//	      │ boot record, if there is one │ │
//	      │ Joliet volume descriptor     │ │
//	      │ set terminator               │ │
//	      │ superblock checksum tag      │ │
//	      │ descriptors once more, if    │ │
//	      │   the first tell OwnSize     │ │
//	      │ boot catalogue, if it is new │ │ TreeBlocks
//	      │ path tables L, M             │ │
//	      │ directories, each followed   │ │
//	      │   by its continuation area   │ │
//	      │ Joliet path tables L, M      │ │
//	      │ Joliet directories           │ │
//	      │ tree checksum tag            │ │
//	      ├──────────────────────────────┤ ┘
//	      │ new content of files,        │   DataBlocks
//	      │   each padded to a block     │
//	      ├──────────────────────────────┤
//	      │ array of SHA-256s            │
//	      │ array of MD5s                │
//	      │ session checksum tag         │
//	      ├──────────────────────────────┤
//	      │ padding                      │
//	      └──────────────────────────────┘ Start + Blocks
//
// Directories, the content of files and the checksum indexes all follow one
// order, the walk: a directory's entries sorted by the bytes of their names,
// then each of its subdirectories, walked likewise. What a directory holds is
// therefore also read with few seeks.
//
// # Determinism
//
// The bytes are a pure function of the source's answers and the [Options].
// Nothing depends on the clock, on the order in which the source enumerates, on
// map order or on the machine. An interrupted recording is continued by
// producing the same stream again.
//
// # Memory
//
// A layout keeps one record for each directory and one for each regular file
// with more than one link. While a directory is being laid out or written, its
// entries are in memory, so the largest directory counts. With [Options.Scratch]
// what the source said of them is in a file, too, and read from there. [Stream] keeps 48
// bytes for each checksummed file. The amount of data plays no part.
package image
