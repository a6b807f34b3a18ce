package medium

import "burnfs/mmc"

// Kind is how a medium can be written.
type Kind uint8

// Kinds of media.
const (
	ReadOnly     Kind = iota // the drive cannot write it at all
	Sequential               // at the next writable address only
	Overwritable             // anywhere, any time
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case ReadOnly:
		return "read only"
	case Sequential:
		return "sequential"
	case Overwritable:
		return "overwritable"
	}
	return "kind?"
}

// Status is how full a medium is, in terms of sessions.
type Status uint8

// States of a medium.
const (
	Blank      Status = iota // nothing recorded yet; overwritable media never say so
	Appendable               // at least one more session fits
	Complete                 // closed for ever
)

// String names the status.
func (s Status) String() string {
	switch s {
	case Blank:
		return "blank"
	case Appendable:
		return "appendable"
	case Complete:
		return "complete"
	}
	return "status?"
}

// Info is what is known about the medium in a drive. Addresses are LBA, sizes
// blocks of 2048 bytes.
type Info struct {
	Profile mmc.Profile // what the drive calls the medium
	Kind    Kind        // how it can be written
	Status  Status      // how full it is

	// Sessions are those with at least one recorded track, in order. All are
	// complete, except that the last one is not when OpenTrack is set.
	// Overwritable media show one session with one track over all of them.
	Sessions []Session

	// LastSession is the start of the first track of the last complete session,
	// the first number of mkisofs -C; 0 if there is none, and on overwritable
	// media.
	LastSession uint32

	// NWA is where the next session would start, the second number of mkisofs
	// -C, if NotWritableReason is empty and OpenTrack is nil. It is 0 on
	// overwritable media, where the file system decides.
	NWA uint32

	// Free is how many blocks can still be written from NWA on. On overwritable
	// media it is the size of the whole writable area.
	Free uint32

	// Capacity is the number of readable blocks as READ CAPACITY tells it; it
	// includes gaps between sessions, which cannot be read.
	Capacity uint32

	// Total is the number of blocks from the start of the medium to the end of
	// what can ever be written.
	Total uint32

	// WriteUnit is the number of blocks that are written at once: a recorder
	// fills up the last unit of a session.
	WriteUnit uint32

	// Gap is how many blocks are lost between the end of the session that would
	// be written next and the NWA after it: exact for CD (MMC-5 4.2.3), an
	// estimate on the safe side for other sequential media. The NWA after the
	// session was closed is the only truth.
	Gap uint32

	// MinTrack is the least number of blocks of a track. Shorter ones are padded.
	MinTrack uint32

	// NotWritableReason is empty if the medium can be written, else a sentence
	// for the user that says why not.
	NotWritableReason string

	// OneSession is empty if sessions can be added as long as there is room. Else
	// the medium takes a single session, written at once, and is closed by it: a
	// sentence for the user says why, and what to do about it.
	OneSession string

	// OpenTrack is the last recorded track of a session that was not closed, as
	// an interrupted burn leaves it, or nil. If it is Open with a valid NWA,
	// recording can go on there; else track and session can only be closed. On a
	// DVD-RW in restricted overwrite it is the one track, if its growth was
	// interrupted: until it is closed, drives may refuse to read anything.
	OpenTrack *Track

	// Unformatted says that an overwritable medium must be formatted before it
	// can be written. Recorders do that.
	Unformatted bool

	// FormatStopped says that the background formatting of a DVD+RW was stopped
	// part way: beyond what it reached the medium can be written only after it was
	// started again. Recorders do that, too.
	FormatStopped bool

	// Formatted is how many blocks of a DVD-RW in restricted overwrite can be
	// written at any address. What lies beyond, up to Free, has to be written in
	// one go, which recorders do. It is 0 on other media.
	Formatted uint32

	// Changes is mmc.Drive.MediumChanges at the time of the inspection: while
	// the drive still tells the same number, Info is about the same medium.
	Changes uint64
}

// Session is one session of a medium.
type Session struct {
	Number   int     // from 1
	Complete bool    // closed
	Tracks   []Track // at least one
}

// Start returns the first block of the session.
func (s *Session) Start() uint32 { return s.Tracks[0].Start }

// Blocks returns the size of the session in blocks, from the first block of its
// first track to the last block of its last.
func (s *Session) Blocks() uint32 {
	last := s.Tracks[len(s.Tracks)-1]
	return last.Start + last.Blocks - s.Start()
}

// Track is one track of a medium.
type Track struct {
	Number  int    // from 1
	Session int    // number of its session
	Start   uint32 // first block (LBA)
	// Blocks is the size of the track; of an open one, what is recorded of it.
	// On CD it may include run-out blocks that cannot be read.
	Blocks uint32

	NWA      uint32 // next writable address, if NWAValid
	NWAValid bool   // the drive tells a next writable address
	Free     uint32 // blocks that can be written from NWA on
	Blank    bool   // nothing is recorded in it
	Damaged  bool   // was not closed properly
	Open     bool   // of an unclosed session, and may be recorded further
	Reserved bool   // its size was told to the drive before it was written
	Audio    bool   // holds sound, not blocks
	// XA says that a CD track is recorded in mode 2, as CD-ROM XA.
	XA bool

	LastRecorded      uint32 // last recorded address, if LastRecordedValid
	LastRecordedValid bool   // the drive tells it
}

// Writable reports whether the next session can be written right away: the
// medium accepts data and no interrupted burn is in the way.
func (i *Info) Writable() bool { return i.NotWritableReason == "" && i.OpenTrack == nil }

// LastComplete returns the last complete session, or nil.
func (i *Info) LastComplete() *Session {
	for n := len(i.Sessions) - 1; n >= 0; n-- {
		if i.Sessions[n].Complete {
			return &i.Sessions[n]
		}
	}
	return nil
}
