// Package recorder writes one session onto a medium, the way each family of
// media wants it. There is one file per family:
//
//	cd.go            CD-R, CD-RW: track at once (TAO)
//	cdatonce.go      CD-R, CD-RW: session at once (SAO)
//	dvdr.go          DVD-R, DVD-RW: incremental, disc at once (DAO)
//	dvdplusr.go      DVD+R, single and dual layer
//	bdr.go           BD-R in sequential recording mode (SRM)
//	overwritable.go  DVD+RW, DVD-RAM, BD-RE
//	restricted.go    DVD-RW in restricted overwrite
//
// A recorder goes through these states:
//
//	          Begin          Write…             Sync                Close
//	New ──────────► begun ──────────► writing ──────► synchronized ───────► closed
//	                                     │
//	                                     │ Suspend, crash, power cut
//	                                     ▼
//	                          track left open on the medium
//	                                     │
//	     New with Resume: same stream ◄──┴──► CloseDamaged: track and session
//	     from NextAddress on                  are closed as they are
//
// On sequential media no block is ever written twice and none is left out: each
// WRITE goes to the next writable address, and after a WRITE whose outcome is
// unknown the drive is asked for that address before anything else is sent.
package recorder
