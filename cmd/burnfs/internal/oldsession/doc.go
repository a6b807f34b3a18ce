// Package oldsession shows a session of a disc to the image builder, so that a
// new image can name its files at their old addresses (mkisofs -M).
//
// The whole tree is loaded and the disc is not needed any more, as with
// mkisofs: the image may be written to the same disc, through a pipe.
//
// Names are recognised as links to one file by the block where its data begin
// and, if it is recorded, by the serial number (RRIP 1.12 4.1.1): mkisofs and
// xorriso write sessions without serial numbers in which hard links share their
// extent.
package oldsession
