// Package boltfile reads a bbolt database that need not be whole.
//
// bbolt maps its file and trusts what it finds there: a page that is not what it
// should be ends the program, or makes it wander for ever. Here each page is read
// with pread(2), every number in it is checked against the file before it is used,
// and no page is visited twice. So a check ends in time proportional to the size of
// the file, and what a damaged database still holds can be read.
//
//	page 0, 1    meta: the newer one with a good checksum counts
//	             ┌───────┬─────────┬──────────┬───────┬──────┬──────────┬──────┬──────┬──────────┐
//	             │ magic │ version │ pagesize │ flags │ root │ freelist │ high │ txid │ checksum │
//	             │  u32  │   u32   │   u32    │  u32  │ 2u64 │   u64    │ u64  │ u64  │ FNV-1a   │
//	             └───────┴─────────┴──────────┴───────┴──────┴──────────┴──────┴──────┴──────────┘
//	every page   ┌────┬───────┬───────┬──────────┐
//	             │ id │ flags │ count │ overflow │ then elements, then keys and values
//	             │ u64│  u16  │  u16  │   u32    │
//	             └────┴───────┴───────┴──────────┘
//	branch       pos u32, ksize u32, page u64       pos counts from the element
//	leaf         flags u32, pos u32, ksize u32, vsize u32
//	freelist     page u64 …; a count of 65535 says that the first one is the count
//	bucket       a leaf value with flag 1: root u64, sequence u64; root 0: a leaf follows
//
// Numbers are in the byte order of the machine, as bbolt writes them.
package boltfile
