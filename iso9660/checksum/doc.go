// Package checksum is the MD5 scheme of libisofs, by which xorriso's -check_media
// and -check_md5 audit a session.
//
//	start+0    System Area, volume descriptors       ┐ MD5 in the superblock tag
//	start+18…  superblock tag  (one block)           ┘
//	           path tables, directories              ┐ MD5 of all from start on,
//	           tree tag        (one block)           ┘ in the tree tag
//	           file data
//	area       array of MD5s, 16 bytes each            address in isofs.ca
//	             [0]    start … area-1
//	             [1…N]  files, each with its index in isofs.cx
//	             [N+1]  [0] … [N]
//	           session tag     (one block)             MD5 of all from start on
//
// A tag is a line of text at the beginning of a block, the rest zero:
//
//	NAME pos=# range_start=# range_size=# [next=#|session_start=#] md5=# self=#
//
// with its own address, the range of blocks that its MD5 covers, the address of
// the next tag, and the MD5 of the line up to the end of the first one. All
// addresses are absolute.
//
// isofs.ca and isofs.cx are attributes of package aaip, the first of the root,
// the second of each regular file whose checksum is recorded.
package checksum
