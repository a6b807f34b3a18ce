// Package extent keeps the content of one file as an ordered list of extents.
//
// Every byte of a file lies on the disc, in the staging log, or nowhere
// (a hole, which reads as zeros). A [Map] says which, without holding data:
//
//	offset   0          4096        12288                 size
//	         ├───────────┼───────────┼──────────┬──────────┤
//	         │ OnDisc    │ Staged    │ OnDisc   │ hole     │
//	         │ @ 57344   │ @ 1048576 │ @ 69632  │          │
//	         └───────────┴───────────┴──────────┴──────────┘
//
// Opening a file that lies on the disc and changing one byte of it therefore
// stages one byte: Write cuts the on-disc extent in two and puts a staged one
// between the halves.
//
// A file that is recorded compressed has extents of a fourth kind, Packed, which are
// read through a decoder.
//
// Invariants, which [Parse] also enforces on stored maps:
//
//   - extents are sorted, do not overlap, are not empty and end at or before Size;
//   - holes are not stored, they are the gaps between extents;
//   - two neighbours of the same kind with contiguous addresses are one extent.
//
// Two maps with the same content are therefore equal extent by extent, and
// encode to the same bytes.
//
// A Map is not safe for concurrent use. Whoever owns it, an inode, guards it.
package extent
