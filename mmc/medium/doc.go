// Package medium finds out what is in an optical drive: the kind of medium, its
// sessions and tracks, where writing would go on, and how much still fits.
//
// Every medium falls into one of three kinds:
//
//	Sequential    CD-R, CD-RW, DVD-R, DVD-RW, DVD+R, BD-R: written once from the
//	              inside out, in sessions. Blocks can be written only at the next
//	              writable address (NWA) of the drive.
//
//	              ┌─────────┬─────┬─────────┬─────┬───────────────┐
//	              │session 1│ gap │session 2│ gap │ free          │
//	              └─────────┴─────┴─────────┴─────┴───────────────┘
//	                              ↑ LastSession   ↑ NWA
//
//	Overwritable  DVD+RW, DVD-RAM, BD-RE, and DVD-RW formatted for restricted
//	              overwrite: one track, every block at any time. Sessions exist
//	              only in the file system on it.
//
//	ReadOnly      everything else, and media in drives that cannot write them.
//
// A sequential medium passes through these states (MMC-5 6.22.3.1, Disc Status
// and State of Last Session):
//
//	       first write            close session              finalize
//	Blank ────────────► unclosed ──────────────► Appendable ──────────► Complete
//	                       ▲                         │
//	                       └─────────────────────────┘ first write
//
// A medium found in the state "unclosed" is the trace of an interrupted burn:
// [Info.OpenTrack] tells how far it got.
package medium
