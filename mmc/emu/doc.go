// Package emu is an optical drive made of software, with media that are files.
// It implements [mmc.Transport], so whatever drives hardware drives it too, and
// it is as strict as the strictest real drive: a block is written only where
// the medium allows it, a block that was not written cannot be read, and every
// refusal carries the sense data that MMC and the drives' manuals give it.
//
// # Files
//
// A medium is a data file and, beside it, a state file:
//
//	PATH          block n at byte 2048·n, sparse; any ISO tool can look into it
//	PATH.medium   kind, capacity, sessions, tracks: JSON, replaced as a whole
//
// A state file of a CD-R with one session and a track being written:
//
//	{
//	 "format": "burnfs medium",    never changes
//	 "version": 1,                 others are refused, nothing is guessed
//	 "media": "cd-r",
//	 "blocks": 359844,             capacity
//	 "id": 3735928559,             tells discs of one kind apart
//	 "sessions": [
//	  {"closed": true,  "tracks": [{"start": 0, "size": 302, "written": 300, "state": "closed"}]},
//	  {"closed": false, "tracks": [{"start": 11702, "written": 8192, "state": "open"}]}
//	 ]
//	}
//
// Blocks start to start+written-1 of a track can be read, and start+written is
// its next writable address (NWA). What size has beyond that is run-out, or
// reserved. "mode2" marks tracks of CD-ROM XA, "format" what the lead-in of a CD
// session says of it, "atOnce" tracks whose size was fixed before their first block.
// The invisible track at the end of an appendable medium is not
// stored, it follows from the rules of the family. Overwritable media have
// "formatting" and "formatted" instead of sessions, and a DVD-RW one or the other.
// BD and DVD-RAM set "spare" blocks aside beside their capacity; what else there is
// about formatted BD-R is drawn in bdr.go.
//
// A data file without a state file plays an overwritable medium and stays what
// it is, for example an ISO image: see [Open].
//
// The data file is locked (flock(2)) while the medium is in a drive: exclusively
// by one that can write, shared by those that only read.
//
// # Media
//
//	Media             profile       blocks    recorded
//	cd-r              0009h           359844  track or session at once; 99 tracks
//	cd-rw             000Ah           359844  the same; BLANK
//	dvd-r             0011h          2298496  incrementally, or disc at once
//	dvd-rw            0014h          2298496  the same; BLANK; FORMAT UNIT makes it the next
//	dvd-rw-overwrite  0013h          2298496  restricted overwrite; BLANK makes it dvd-rw
//	dvd-r-dl          0015h          4171712  disc at once only
//	dvd+r             001Bh          2295104  in up to 153 sessions
//	dvd+r-dl          002Bh          4173824  the same
//	dvd+rw            001Ah          2295104  anywhere; is formatted in the background
//	dvd-ram           0012h          2236704  anywhere; spare areas that can grow
//	bd-r              0041h, 0042h  12219392  SRM in up to 300 sessions, or, if formatted
//	                                          so, SRM+POW or RRM; spare areas
//	bd-re             0043h         11826176  anywhere; spare areas of a chosen size
//
// The capacities are the usual ones of one layer, or of two where the name says
// dl; [CreateOptions] can ask for others.
//
// # What is durable when
//
// WRITE leaves blocks in the page cache of the host. They survive the death of
// the process at once, and a power cut after one of
//
//	SYNCHRONIZE CACHE, CLOSE TRACK/SESSION, RESERVE TRACK, BLANK, FORMAT UNIT,
//	eject, Drive.Close, and in the background after every 16 MiB of a track
//
// by always the same order:
//
//	data: fdatasync ─▶ PATH.medium.new: write, fsync ─▶ rename to PATH.medium ─▶ fsync directory
//
// So the NWA in a state file is true or too small, never too large, and a state
// file is the old or the new one, never a mixture.
//
// # A sequential medium
//
//	           WRITE at the NWA,                  CLOSE TRACK
//	┌───────┐  RESERVE TRACK   ┌──────────────┐  (CD: SYNC CACHE, too)  ┌──────────────┐
//	│ blank │ ───────────────▶ │ session open,│ ──────────────────────▶ │ session open,│
//	└───────┘                  │ track open   │ ◀────────────────────── │ tracks closed│
//	    ▲                      └──────────────┘   WRITE, RESERVE TRACK  └──────────────┘
//	    │                        ▲      │ power lost              CLOSE SESSION │
//	    │                        │      ▼                                       ▼
//	    │      WRITE at the NWA, │  CD: damaged, has no NWA       ┌──────────────┐
//	    │      RESERVE TRACK     │      and takes CLOSE TRACK     │ appendable,  │
//	    │                        │      only                      │ last session │
//	    │ BLANK                  │  DVD±R, BD-R: go on at NWA      │ empty        │
//	    │ (CD-RW, DVD-RW)        │                                └──────────────┘
//	    │                        └────────────────────────────────────────┘ │
//	    │                                         CLOSE SESSION finalizing, │
//	    │         ┌───────────┐      no room for another session, or limit  │
//	    └──────── │ finalized │ ◀───────────────────────────────────────────┘
//	              └───────────┘
//
// The kinds differ in gaps, run-out, least track size and close functions: see
// [CDR] and its neighbours, and one file per family. Overwritable media have one
// track and, with DVD+RW, a formatting that goes on in the background; its states
// are drawn in dvdplusrw.go. DVD-R and DVD-RW can also be written at once, and a
// DVD-RW formatted to be overwritten: see dvdr.go and dvdrw.go.
//
// # Sources
//
// MMC-5 revision 03c and SPC-3 revision 23 by clause. Where they leave a choice,
// the drive does what the command reference manuals of Pioneer's DVR-111 and
// BDR-203 say: closing an empty session or an invisible track is no error, a short
// CD track is filled with zeros to four seconds, a session with an open track
// cannot be closed (5/72/03), CLOSE TRACK/SESSION is not valid for BD-RE, a DVD+R
// with too little room left is finalized. The offsets of replies are written down
// here once more instead of using the views of package mmc, so that a wrong offset
// in either place cannot hide.
package emu
