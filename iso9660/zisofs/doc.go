// Package zisofs reads files that are recorded compressed: in blocks of one size
// each of which is a zlib stream of its own, so that any part of a file can be read
// without the rest. A System Use entry in the record of the file, ZF, says so; Linux
// and libisofs then show the file as it was before. To readers that do not know the
// entry, and to those of the Joliet tree, the file is what is recorded.
//
// The references are doc/zisofs_format.txt and doc/zisofs2_format.txt of libisofs.
//
//	ZF, version 1                         version 2
//	 0  'Z' 'F'    2                       'Z' 'F', or 'Z' '2', of which Linux does
//	                                       not complain
//	 2  LEN        1  16                   16
//	 3  version    1  1                    2
//	 4  algorithm  2  "pz": zlib           "PZ": zlib; "XZ", "L4", "ZD", "B2"
//	 6  header     1  in units of 4: 4     6
//	 7  block      1  log2, 15 to 17       15 to 20
//	 8  size       8  uncompressed,        uncompressed,
//	                  ECMA-119 7.3.3       64 bits, least significant byte first
//
// What is recorded:
//
//	┌────────┬───────────────────────┬─────────┬─────────┬───┐
//	│ header │ pointers: n + 1       │ block 0 │ block 1 │ … │   n = ⌈size / block⌉
//	└────────┴──┬──┬──────────────┬──┴─────────┴─────────┴───┘
//	            │  └─ block 0 ends and block 1 begins        ▲
//	            └──── block 0 begins here                    │
//	              pointer n: the last block ends here ───────┘
//
//	header, version 1                     version 2
//	 0  37 E4 53 96 C9 DB D6 07            EF 22 55 A1 BC 1B 95 A0
//	 8  size       4  7.3.1                8  version of the header: 0
//	12  header     1  in units of 4        9  header, in units of 4
//	13  block      1  log2                10  algorithm: 1 for zlib
//	14  reserved   2                      11  block, log2
//	                                      12  size  8
//	                                      20  reserved  4
//
// Pointers have 4 bytes in version 1 and 8 in version 2, the least significant one
// first, and count from the beginning of the header. A block without bytes is one of
// zeros. The last block is as long as what is left of the file.
//
// A file is decoded only if the entry can be believed so far as to make that
// possible: see [ZF.Undecodable]. Linux does not look at the header; here it has to
// confirm the entry, because reading through wrong pointers gives nothing but errors
// later. Compressed files are read, and continued on the medium as they are; they are
// not written.
package zisofs
