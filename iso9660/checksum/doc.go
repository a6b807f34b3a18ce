// Package checksum is the MD5 scheme of libisofs, by which xorriso's -check_media
// and -check_md5 audit a session, and beside it an array of SHA-256s of burnfs' own.
//
//	start+0    System Area, volume descriptors       ┐ MD5 in the superblock tag
//	start+18…  superblock tag  (one block)           ┘
//	           path tables, directories              ┐ MD5 of all from start on,
//	           tree tag        (one block)           ┘ in the tree tag
//	data       file data
//	           array of SHA-256s, 32 bytes each        address in BH
//	             [0]    start … data-1
//	             [1…N]  files, each with its index in isofs.cx
//	             [N+1]  [0] … [N]
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
// addresses are absolute, and decimal. The NAMEs are
//
//	libisofs_sb_checksum_tag_v1      of the superblock, with next
//	libisofs_tree_checksum_tag_v1    of the tree, with next
//	libisofs_checksum_tag_v1         of the session
//	libisofs_rlsb32_checksum_tag_v1  behind a copy of the descriptors at block 16 of
//	                                 the medium: of all from block 0 on, with
//	                                 session_start, where they are copied from
//
// isofs.ca, isofs.cx and isofs.st are attributes of package aaip, isofs.cx of each
// regular file whose checksum is recorded, the others of the root. The MD5 of a
// file is that of its content as it is recorded, zero bytes for one that is lost.
//
// # SHA-256
//
// BH is a System Use entry of the root's own record, see [SHA256Area]; readers that
// do not know it skip it (SUSP 4.1), and who writes the next session leaves it out,
// which is better than an attribute that would be carried forward. The array lies
// in front of that of the MD5s, where libisofs expects data of files, and so all of
// its own checksums cover it. A file has one index for both arrays. Zero bytes
// say that its SHA-256 is not known, as of files that another program recorded.
//
// Only an array that lies directly in front of the MD5s and has as many entries is
// to be believed; sessions without one are as good as those with. Its last entry,
// which stands for the directories and the content of all files, is a fingerprint
// of the session.
package checksum
