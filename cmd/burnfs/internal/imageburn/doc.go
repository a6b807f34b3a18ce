// Package imageburn writes a finished image onto a disc as its next session.
//
//	inspect ─▶ what is it made for? ─▶ does it fit? ─▶ write, hash ─▶ sync, close ─▶ read back, compare hashes
//
// An ISO image holds absolute block addresses, so one that was made for
// another place cannot be read there. Where it was made for is found without
// trusting a field: the record "." at the beginning of the root directory
// names its own block (ECMA-119 6.8.2.2), so if it lies n blocks into the image
// and says r, the image begins at r - n. An image without a Primary Volume
// Descriptor is written as it is.
//
// On an overwritable medium (DVD+RW, DVD-RAM, BD-RE, a plain file) a blank disc
// takes an image made for block 0, which is then a plain ISO image. Any
// other image goes to where the next session starts, and blocks 0 to 31 are
// written after it was read back: that makes it the one that readers show.
package imageburn
