// Package fsck checks the staging of a disc: that what was changed and not burned yet is
// whole, from the files on the local disk up to what the records mean together.
//
//	directory   known files only, sizes of the segments
//	disc.json   form, version, the disc that the database names too
//	meta.db     the structure of bbolt: every page, by our own reading and by bbolt's
//	log         every range that a record names is there, in no other record, and no hole
//	records     names mean inodes, inodes have names, link counts, change numbers, no
//	            directory in itself or in two places
//	journal     the plan of an interrupted burn: its files, their hash, its ranges
//
// What was changed lies over the last session of the disc, and without that some questions
// stay open: a changed file of the disc has a record and no name in staging, so that a
// record without a name may be whole. Given the session's tree, as Options.Base, these are
// answered too. Staging for a blank disc is complete by itself.
//
//	                                 without the disc   with it
//	an inode has no name             new directories    all
//	the parent of a name is missing  doubtful           damage
//	link count                       at least           exactly, unless others burned it
//	a name that the disc has, too    -                  must say so
//	content on the disc              -                  inside of it
//
// A check changes nothing, not even the lock file, and gives up on nothing that it reads: a
// database of arbitrary bytes costs time and memory in proportion to its size, no more.
package fsck
