// Package prepare does to a medium what is done outside of a session: it blanks
// and formats it, closes it for good, and moves it in and out of the drive.
//
// Blanking, formatting and finalizing go the same way:
//
//	refuse with a reason what the medium cannot take
//	  │
//	the medium is still the one that was inspected, else ErrChanged
//	  │
//	BLANK, FORMAT UNIT or CLOSE TRACK/SESSION with Immed
//	  │
//	TEST UNIT READY until it is done, with progress, within a bound that
//	follows from the size of the medium
//	  │
//	inspect the medium again: what it is now decides, not what the drive said
//
// After each of them the medium has to be inspected anew by the caller, too.
package prepare
