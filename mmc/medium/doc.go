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
//	ReadOnly      pressed media; DVD-R DL and DVD-RW DL, which take one session
//	              only; BD-R formatted for random recording (RRM) or for
//	              pseudo-overwrite (POW), which rule out sessions; profiles that are
//	              not known.
//
// A medium that is of one of the first two kinds can still be one that cannot be
// written: it is full or closed, the drive does not write it, or the transport
// does not let anybody write. [Info.NotWritableReason] says so in either case.
//
// # Sequential media
//
// They pass through these states (MMC-5 6.22.3.1, Disc Status and State of Last
// Session):
//
//	       first write            close session         finalize (DVD+R, BD-R)
//	Blank ────────────► unclosed ──────────────► Appendable ──────────► Complete
//	  ▲                  ▲    │                      │                     ▲
//	  │ BLANK            └────│──────────────────────┘ first write         │
//	  │ (CD-RW, DVD-RW)       └────────────────────────────────────────────┘
//	  └─ from any state         close session for good, or disc at once (DVD-R, DVD-RW)
//
// Media of which all sessions are closed become Complete only by one more session,
// except for DVD+R and BD-R.
//
// A medium found in the state "unclosed" is the trace of an interrupted burn:
// [Info.OpenTrack] tells how far it got.
//
// A DVD-R or DVD-RW takes sessions only while the drive offers to record it
// incrementally (feature 0021h, MMC-5 5.3.11), which it does not for a DVD-RW that
// was blanked quickly. Without that it takes a single session, at once:
// [Info.OneSession] says so.
//
// # Overwritable media
//
// They are never Blank; their Status is Appendable. What they need before blocks
// can be written at any address, recorders do. The fields of [Info] tell what it is:
//
//	Unformatted    a DVD+RW or BD-RE as it is sold: FORMAT UNIT
//	FormatStopped  a DVD+RW of which a part is formatted: FORMAT UNIT again,
//	               which goes on in the background
//	Formatted      how much of a DVD-RW is formatted; the rest, up to
//	               Free, is written in one go from there on
package medium
