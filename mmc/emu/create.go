package emu

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CreateOptions say what is special about a new medium.
type CreateOptions struct {
	// Blocks is the capacity in blocks of 2048 bytes, rounded down to what the
	// kind of medium can have; 0 is the usual capacity of the kind. A BD-RE or
	// DVD-RAM has so many in its usual format, a BD-R before it is formatted.
	Blocks int64
	// AudioFirstSession makes a CD begin with a session of two audio tracks of
	// half a minute each, so that a data session makes it a CD Extra.
	AudioFirstSession bool
	// Unformatted leaves a DVD+RW or BD-RE as it is sold: it must be formatted
	// before it can be written. Without it, it is formatted already. A
	// DVDRWOverwrite it leaves with nothing formatted yet, so that it grows with
	// what is written.
	Unformatted bool
}

// Create makes a blank medium: an empty data file at path and a state file
// beside it. It fails if either exists.
func Create(path string, media Media, opt CreateOptions) error {
	k, ok := kindOf(media)
	if !ok {
		_, err := ParseMedia(string(media))
		return err
	}
	blocks, err := k.capacity(opt.Blocks)
	if err != nil {
		return err
	}
	st := newState(k, blocks, opt.Unformatted)
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return err
	}
	st.ID = binary.BigEndian.Uint32(id[:])
	if opt.AudioFirstSession {
		if !k.profile.IsCD() {
			return fmt.Errorf("a %s cannot begin with an audio session; only cd-r and cd-rw can", media)
		}
		st.Sessions = []sessionState{audioSession()}
	}
	if err := st.check(); err != nil {
		return fmt.Errorf("the disc is too small: %w", err)
	}
	if path, err = resolve(path); err != nil {
		return err
	}
	// The state comes first: a data file alone would be taken for a plain file
	// if a crash left it behind.
	for _, p := range []string{path, path + stateSuffix} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("%s exists already and is left as it is: choose another name, or remove it first: %w", p, fs.ErrExist)
		}
	}
	b, err := st.marshal()
	if err != nil {
		return err
	}
	if err := replaceStateFile(path, b); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err == nil {
		err = errors.Join(f.Close(), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the emulated disc could not be made: %w", err), os.Remove(path+stateSuffix))
	}
	return nil
}

// newState is a new medium of a kind.
func newState(k kind, blocks uint32, unformatted bool) state {
	st := state{Format: stateFormat, Version: stateVersion, Media: k.media, Blocks: blocks}
	switch k.media {
	case BDRE:
		st.Spare = usualSpare(blocks)
	case DVDRAM:
		st.Spare = dvdRAMUsualSpare(blocks)
	}
	_, seq := k.rules.(sequential)
	switch {
	case k.media == DVDRWOverwrite:
		st.Media, st.Formatting = DVDRW, formatDone
		if st.Intermediate = unformatted; !unformatted {
			st.Formatted = blocks - dvdRWOverhead
		}
	case !seq && !(unformatted && k.media != DVDRAM):
		st.Formatting, st.Formatted = formatDone, blocks
	}
	return st
}

// resolve follows symbolic links, so that the state file is found beside the
// data file by whatever name it is opened. A file that does not exist yet keeps
// its name.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return filepath.Abs(path)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
