// Package recorder writes one session onto a medium, the way each family of
// media wants it. There is one file per family, with its recipe:
//
//	cd.go            CD-R, CD-RW: track at once (TAO)
//	cdatonce.go      CD-R, CD-RW: session at once (SAO)
//	dvdr.go          DVD-R, DVD-RW: incremental, disc at once (DAO)
//	dvdplusr.go      DVD+R, single and dual layer
//	bdr.go           BD-R in sequential recording mode (SRM)
//	sequential.go    what the above have in common
//	overwritable.go  DVD+RW, DVD-RAM, BD-RE
//	restricted.go    DVD-RW in restricted overwrite
//
// and one for closing sessions (close.go) and finalizing discs (finalize.go).
//
// # Sequential media
//
// A recorder goes through these states:
//
//	          Begin          Write…             Sync                Close
//	New ──────────► begun ──────────► writing ──────► synchronized ───────► closed
//	                                     │
//	                                     │ Suspend, crash, power cut
//	                                     ▼
//	                          track left open on the medium
//	                             │                      │
//	   incremental, DVD+R, BD-R  │                      │ all
//	                             ▼                      ▼
//	          New with Resume: same stream       CloseDamaged: track and session
//	          from NextAddress on                are closed as they are
//
// What is told to the drive, and when, depends on the way it writes; the size of
// the stream must be known beforehand where it is told before the first block:
//
//	             Begin                     Sync                      Close
//	TAO          MODE SELECT               pads (see Sync); the      CLOSE TRACK/SESSION 010b
//	                                       drive ends the track
//	SAO          MODE SELECT,              zeros up to the size;     nothing more
//	             SEND CUE SHEET, pre-gap   the drive closes the
//	                                       session
//	incremental  MODE SELECT               zeros up to a whole       CLOSE TRACK/SESSION 001b,
//	                                       packet                    010b
//	DAO          MODE SELECT,              zeros up to the size;     nothing more
//	             RESERVE TRACK             the drive closes the disc
//	DVD+R, BD-R  —                         zeros up to a whole unit  CLOSE TRACK/SESSION 001b,
//	                                                                 010b
//
// Except for DVD+R and BD-R, Begin also has the laser calibrated (SEND OPC
// INFORMATION). A session that is to be the last is closed with multi-session 00b
// in mode page 05h, a DVD+R with close function 101b, a BD-R with 110b (MMC-5
// 6.3.3, 7.5.4).
//
// No block is ever written twice and none is left out: each WRITE goes to the next
// writable address, and after a WRITE whose outcome is unknown the drive is asked
// for that address before anything else is sent.
//
// # Overwritable media
//
// Begin formats what has to be formatted. Write takes blocks for any address, in
// any order, and Sync can be called as often as something is to be durable. There
// is nothing to resume: an interrupted burn is begun anew, and a WRITE is repeated
// if it failed in a way that may pass.
//
// On a DVD-RW in restricted overwrite, blocks beyond what is formatted make the
// disc grow, in a session that Sync closes. If that is interrupted, the drive may
// refuse to read anything until CloseDamaged has closed it.
//
// # What is believed
//
// Drives report errors for what they have done and success for what they have
// not. So closing and finalizing are judged by what the drive says about the
// medium afterwards (package medium), and every recorder claims the medium in
// Begin, so that nothing is written onto another one (see [burnfs/mmc.Drive.Claim]).
package recorder
