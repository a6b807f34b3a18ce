package emu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The first two members of a state file. These constants are part of the file
// format and should not be changed.
const (
	stateFormat  = "burnfs medium"
	stateVersion = 1
)

// maxStateSize bounds what is read from a state file, in bytes: the largest BD-R
// with all its tracks stays far below.
const maxStateSize = 4 << 20

// trackState is where a track of a sequential medium stands.
type trackState string

const (
	trackOpen     trackState = "open"     // being written, ends where writing ends
	trackReserved trackState = "reserved" // its size is fixed, not all of it is written
	trackClosed   trackState = "closed"
)

// track is a recorded or reserved track. The invisible track at the end of an
// appendable medium is not stored: it follows from the others.
type track struct {
	Start   uint32     `json:"start"`             // first block
	Size    uint32     `json:"size,omitempty"`    // blocks; 0 while open
	Written uint32     `json:"written,omitempty"` // readable blocks from Start on; Start+Written is the NWA
	State   trackState `json:"state"`
	Audio   bool       `json:"audio,omitempty"`
	Mode2   bool       `json:"mode2,omitempty"`  // CD-ROM XA mode 2 form 1, else mode 1
	AtOnce  bool       `json:"atOnce,omitempty"` // recorded session at once (CD) or disc at once (DVD-R): the size is fixed before the first block

	// interrupted says that the medium was loaded with the track open.
	interrupted bool
}

// end returns the first block after the track.
func (t *track) end() uint32 {
	if t.State == trackOpen {
		return t.Start + t.Written
	}
	return t.Start + t.Size
}

func (t *track) nwa() uint32 { return t.Start + t.Written }

// sessionState is a session with at least one track.
type sessionState struct {
	Closed bool    `json:"closed"`
	Format uint8   `json:"format,omitempty"` // of a CD, as PSEC of point A0h tells it: 00h CD-ROM, 20h CD-ROM XA
	Tracks []track `json:"tracks"`
}

// formatting is how far an overwritable medium is formatted, as READ DISC
// INFORMATION tells it for DVD+RW (MMC-5 6.22.3.1.13 BG Format Status).
type formatting uint8

const (
	formatNone    formatting = 0
	formatStopped formatting = 1 // background formatting was stopped part way
	formatRunning formatting = 2 // background formatting is under way
	formatDone    formatting = 3
)

// state is everything about a medium that its data file does not hold.
type state struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Media   Media  `json:"media"`
	Blocks  uint32 `json:"blocks"` // capacity
	ID      uint32 `json:"id"`     // told apart by it: the disc identification of CD-R, the serial of others

	// Sequential media.
	Sessions  []sessionState `json:"sessions,omitempty"`
	Finalized bool           `json:"finalized,omitempty"`

	// Overwritable media: blocks below Formatted can be written.
	Formatting formatting `json:"formatting,omitempty"`
	Formatted  uint32     `json:"formatted,omitempty"`

	// BD and DVD-RAM: what is set aside beside Blocks.
	Spare uint32 `json:"spare,omitempty"`
	// BD-R: how it was formatted; clusters written again with pseudo-overwrite; a
	// bit for each cluster written in random recording.
	Recording recordingMode `json:"recording,omitempty"`
	Replaced  uint32        `json:"replaced,omitempty"`
	Clusters  []byte        `json:"clusters,omitempty"`

	// DVD-RW: blanked so that it takes no sessions; formatted for restricted
	// overwrite with its last session not closed.
	MinimallyBlanked bool `json:"minimallyBlanked,omitempty"`
	Intermediate     bool `json:"intermediate,omitempty"`
}

// FormatError is a state file that is damaged or of an unknown version.
type FormatError struct {
	Path string // state file, may be empty
	Err  error
}

// Error names the file and what is wrong with it.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: this file describes an emulated disc and cannot be understood: %v; the disc is not touched, restore the file from a copy", e.Path, e.Err)
}

// Unwrap returns what is wrong.
func (e *FormatError) Unwrap() error { return e.Err }

var errTrailing = errors.New("something follows the description")

// parseState reads a state file and refuses whatever could not have been written
// by [state.marshal] for a medium that follows the rules of its family.
func parseState(b []byte) (*state, error) {
	if len(b) > maxStateSize {
		return nil, fmt.Errorf("longer than %d bytes", maxStateSize)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, err
	}
	if head.Format != stateFormat {
		return nil, fmt.Errorf("its format is %q, not %q", head.Format, stateFormat)
	}
	if head.Version != stateVersion {
		return nil, fmt.Errorf("its version is %d, and only version %d is known", head.Version, stateVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	s := new(state)
	if err := dec.Decode(s); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errTrailing
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// marshal returns the state as the state file holds it.
func (s *state) marshal() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// check tells what makes the state impossible.
func (s *state) check() error {
	k, ok := kindOf(s.Media)
	if !ok {
		return fmt.Errorf("unknown kind of medium %q", s.Media)
	}
	if err := s.checkSize(k); err != nil {
		return err
	}
	if s.Media != DVDRW && (s.MinimallyBlanked || s.Intermediate) {
		return fmt.Errorf("a %s has no state of a DVD-RW", s.Media)
	}
	if _, sequential := k.as(s).rules.(sequential); sequential {
		if s.Formatting != formatNone || s.Formatted != 0 || s.Intermediate {
			return fmt.Errorf("a %s has no formatting state", s.Media)
		}
		return s.checkTracks()
	}
	if len(s.Sessions) > 0 || s.Finalized && s.Recording != randomRecording {
		return fmt.Errorf("a %s has no sessions", s.Media)
	}
	if s.Media == DVDRW {
		if s.Formatting != formatDone || s.MinimallyBlanked || s.Formatted > s.Blocks-dvdRWOverhead || s.Formatted%dvdRPacket != 0 {
			return fmt.Errorf("formatting state %d with %d of %d blocks", s.Formatting, s.Formatted, s.Blocks)
		}
		return nil
	}
	if s.Formatting > formatDone || s.Formatted > s.Blocks || s.Formatting == formatDone && s.Formatted != s.Blocks {
		return fmt.Errorf("formatting state %d with %d of %d blocks", s.Formatting, s.Formatted, s.Blocks)
	}
	return nil
}

// checkSize tells what is wrong with the number of blocks and of spare ones.
func (s *state) checkSize(k kind) error {
	most := uint64(0)
	switch s.Media {
	case BDR, BDRE:
		most = bdMost
	case DVDRAM:
		most = dvdRAMMost
	default:
		if s.Media == DVDRWOverwrite {
			return fmt.Errorf("a %s is a %s in a certain state", s.Media, DVDRW)
		}
		if got, err := k.capacity(int64(s.Blocks)); err != nil || got != s.Blocks || s.Blocks == 0 || s.Spare != 0 {
			return fmt.Errorf("a %s cannot have %d blocks and %d to spare", s.Media, s.Blocks, s.Spare)
		}
	}
	total := uint64(s.Blocks) + uint64(s.Spare)
	if most > 0 && (total < minBlocks || total > most || s.Blocks%16 != 0 || s.Spare%16 != 0 || s.Blocks < s.Spare) {
		return fmt.Errorf("a %s cannot have %d blocks and %d to spare", s.Media, s.Blocks, s.Spare)
	}
	clusters := 0
	switch {
	case s.Recording == sequentialRecording:
	case s.Media != BDR || s.Spare == 0 || s.Recording != pseudoOverwrite && s.Recording != randomRecording:
		return fmt.Errorf("a %s cannot have the recording mode %q", s.Media, s.Recording)
	case s.Recording == randomRecording:
		clusters = int(s.Blocks/clusterBlocks+7) / 8
	}
	if len(s.Clusters) != clusters {
		return fmt.Errorf("%d bytes tell which clusters are written, instead of %d", len(s.Clusters), clusters)
	}
	if s.Replaced > 0 && s.Recording != pseudoOverwrite || uint64(s.Replaced)*clusterBlocks > uint64(s.Blocks) {
		return fmt.Errorf("%d clusters cannot be written twice", s.Replaced)
	}
	return nil
}

func (s *state) checkTracks() error {
	next, number := uint64(0), 0
	xa := s.Media == CDR || s.Media == CDRW
	for i := range s.Sessions {
		ses := &s.Sessions[i]
		if len(ses.Tracks) == 0 {
			return fmt.Errorf("session %d has no tracks", i+1)
		}
		if !ses.Closed && (i != len(s.Sessions)-1 || s.Finalized) {
			return fmt.Errorf("session %d is open though more follows", i+1)
		}
		if ses.Format != sessionROM && (ses.Format != sessionXA || !xa) {
			return fmt.Errorf("session %d: unknown format %02Xh", i+1, ses.Format)
		}
		for j := range ses.Tracks {
			t := &ses.Tracks[j]
			number++
			if t.Mode2 && (!xa || t.Audio) {
				return fmt.Errorf("track %d cannot be of mode 2", number)
			}
			size := uint64(t.Size)
			switch t.State {
			case trackClosed:
				if ok := t.Size > 0 && t.Written <= t.Size; !ok {
					return fmt.Errorf("track %d: %d blocks written of %d", number, t.Written, t.Size)
				}
			case trackReserved:
				if ok := t.Size > 0 && t.Written <= t.Size && !ses.Closed; !ok {
					return fmt.Errorf("track %d: %d blocks written of %d reserved", number, t.Written, t.Size)
				}
			case trackOpen:
				if ok := t.Size == 0 && !ses.Closed && j == len(ses.Tracks)-1; !ok {
					return fmt.Errorf("track %d is open though more follows", number)
				}
				size = uint64(t.Written)
			default:
				return fmt.Errorf("track %d: unknown state %q", number, t.State)
			}
			if uint64(t.Start) < next || uint64(t.Start)+size > uint64(s.Blocks) {
				return fmt.Errorf("track %d: blocks %d to %d overlap others or leave the medium", number, t.Start, uint64(t.Start)+size)
			}
			next = uint64(t.Start) + size
		}
	}
	return nil
}
