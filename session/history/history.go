// Package history finds the sessions of a disc.
//
// Sequential media have a table of sessions, which the drive reports:
//
//	│ session 1 │ gap │ session 2 │ gap │ session 3 │ NWA …
//
// Overwritable media have none. There the sessions follow each other at
// multiples of 32 blocks, and blocks 0 to 31 repeat the descriptors of the
// newest one, so that a reader who knows nothing finds it:
//
//	│ 0: copy of 3's descriptors │ 32: session 1 │ session 2 │ session 3 │
//
// A chain is followed forward from block 32, as libisoburn does, and backward
// from the newest session through the marks of ours (package mark), which also
// covers a disc whose first session began at block 0: its descriptors are
// copied away before block 16 is written again. Behind a session of somebody
// else's the checksum tag at the end of the one before leads back.
package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/notiso"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/mark"
)

// Align is what sessions of overwritable media are aligned to, in blocks. It
// is also where the first one begins.
const Align = 32

// Session is one session of a disc.
type Session struct {
	Number      int
	Start       uint32 // first block, LBA
	Blocks      uint32
	Time        time.Time // when it was made; zero if not recorded
	VolumeID    string
	Application string
	Preparer    string
	Audio       bool
	// Readable tells that it holds an ISO 9660 tree; Problem says why not.
	Readable bool
	Problem  string
	// Advice is a sentence, without its full stop, about what can read a session
	// that Problem says is no ISO 9660 volume; it may be empty.
	Advice string
	// Cut tells that recording it was interrupted and that it was closed as it
	// was: it never held a complete tree, so a further session hides nothing.
	Cut         bool
	Files, Dirs int64 // -1 when the session does not say
	// Mark is what burnfs noted, nil in sessions of others.
	Mark *mark.Mark
	// Hash identifies the session's primary volume descriptor.
	Hash string

	descriptors uint32 // where the root directory lies: tells copies apart
	volume      uint32 // volume space size
	other       bool   // there is something, but no volume descriptor
	padding     uint32 // blocks of zeros from End to the end of a file
}

// End is the first block behind the session.
func (s *Session) End() uint32 { return s.Start + s.Blocks }

// List finds all sessions of the medium, oldest first. A session that is no
// ISO 9660 volume is listed as not readable. The error is that of the drive.
func List(ctx context.Context, info *medium.Info, r iso9660.BlockReader) ([]Session, error) {
	all, err := list(ctx, info, r)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].recognize(ctx, r); err != nil {
			return nil, err
		}
	}
	if err := findPadding(ctx, info, r, all); err != nil {
		return nil, err
	}
	return all, judgeNewest(ctx, r, all)
}

// recognize says of a session that is no ISO 9660 volume what it is instead.
func (s *Session) recognize(ctx context.Context, r iso9660.BlockReader) error {
	if !s.other || s.Cut {
		return nil
	}
	format, err := notiso.Recognize(ctx, r, s.Start)
	if format != nil {
		s.Problem, s.Advice = format.Name, format.Advice
	}
	return err
}

func list(ctx context.Context, info *medium.Info, r iso9660.BlockReader) ([]Session, error) {
	if info.Kind == medium.Overwritable {
		return chain(ctx, info, r)
	}
	var all []Session
	for _, m := range info.Sessions {
		if len(m.Tracks) == 0 {
			continue
		}
		s := Session{Number: len(all) + 1, Start: m.Tracks[0].Start, Files: -1, Dirs: -1}
		last := m.Tracks[len(m.Tracks)-1]
		s.Blocks = last.Start + last.Blocks - s.Start
		s.Audio = m.Tracks[0].Audio
		switch {
		case !m.Complete:
			continue
		case s.Audio:
			s.Problem = "audio"
		default:
			if err := s.read(ctx, r); err != nil {
				return nil, err
			}
			if err := s.judgeCut(ctx, r, last.Damaged, slices.ContainsFunc(all, func(s Session) bool { return s.Readable })); err != nil {
				return nil, err
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// lostAtEnd is how much may be missing at the end of a session: that is where
// programs put zeros because drives lose what is there (mkisofs -pad).
const lostAtEnd = 150

// judgeCut decides whether an interrupted burn was closed here. The session of
// one that stopped behind its descriptors says that it is larger than it is; its
// tree may be half there, so an earlier one that is whole is better, if there is
// one.
//
// The error is that of the drive.
func (s *Session) judgeCut(ctx context.Context, r iso9660.BlockReader, damaged, earlier bool) (err error) {
	missing := func(size uint32) bool { return size > s.Blocks && size-s.Blocks > lostAtEnd }
	// Sizes are recorded absolutely by some, for the session alone by others.
	absolute := s.volume
	if s.volume > s.Start {
		absolute = s.volume - s.Start
	}
	switch {
	case !s.Readable && (damaged || s.Blocks <= iso9660.FirstDescriptor):
		s.Cut = true
	case !s.Readable:
		s.Cut, err = s.empty(ctx, r)
	case missing(s.volume) && missing(absolute) && (earlier || s.descriptors >= s.End()):
		s.Cut, s.Readable = true, false
		s.Problem = fmt.Sprintf("its recording was interrupted after %d of %d blocks", s.Blocks, absolute)
	}
	return err
}

// empty tells whether a session holds nothing but zeros where any file system
// has its first structures. What cannot be read is not empty.
func (s *Session) empty(ctx context.Context, r iso9660.BlockReader) (bool, error) {
	const chunk = 32
	for done := uint32(0); done < min(Looked, s.Blocks); {
		p := make([]byte, min(chunk, min(Looked, s.Blocks)-done)*iso9660.BlockSize)
		if err := r.ReadBlocks(ctx, s.Start+done, p); err != nil {
			// The last blocks of a CD track are never readable (run-out).
			if blocks.Unreadable(err) && s.Blocks-done <= chunk {
				return done > iso9660.FirstDescriptor, nil
			}
			if blocks.Unreadable(err) {
				return false, nil
			}
			return false, err
		}
		if bytes.Count(p, []byte{0}) != len(p) {
			return false, nil
		}
		done += uint32(len(p) / iso9660.BlockSize)
	}
	return true, nil
}

// read looks at the descriptors at s.Start. What is wrong with them is noted
// in s; that the drive cannot be asked is an error.
func (s *Session) read(ctx context.Context, r iso9660.BlockReader) error {
	s.Files, s.Dirs = -1, -1
	p, block, err := s.primary(ctx, r)
	if err != nil || s.Problem != "" {
		return err
	}
	s.Readable = true
	s.volume = p.VolumeSpaceSize()
	s.VolumeID, s.Application, s.Preparer = p.VolumeIdentifier(), p.ApplicationIdentifier(), p.DataPreparerIdentifier()
	if t, err := p.CreationTime(); err == nil {
		s.Time = t
	}
	if root, err := p.RootRecord(); err == nil {
		s.descriptors = root.Location()
	}
	sum := sha256.Sum256(block)
	s.Hash = hex.EncodeToString(sum[:])
	if m, err := mark.Parse(p.ApplicationUse()); err == nil {
		s.Mark = &m
		s.Files, s.Dirs = m.Files, m.Dirs
	}
	switch {
	case s.Blocks != 0:
	case s.Start > 0 && !s.ours() && s.descriptors < s.Start:
		// Saved descriptors of an image that began at block 0.
		s.Blocks = Align
	default:
		s.Blocks = p.VolumeSpaceSize()
		if from, ok := s.countedFrom(); ok && s.Blocks > from && !s.tellsOwnSize() {
			s.Blocks -= from
		}
	}
	// A size that is wrong must not wrap round to a place inside the session.
	s.Blocks = min(s.Blocks, math.MaxUint32-s.Start)
	return nil
}

// maxDescriptors is how many volume descriptors are read in search of the primary
// one, which is the first on any disc but a few.
const maxDescriptors = 16

// primary finds the Primary Volume Descriptor, or says in s.Problem why there is
// none. The error is that of the drive.
func (s *Session) primary(ctx context.Context, r iso9660.BlockReader) (p iso9660.PrimaryVolumeDescriptor, block []byte, err error) {
	block = make([]byte, iso9660.BlockSize)
	for i := range uint32(maxDescriptors) {
		lba := s.Start + iso9660.FirstDescriptor + i
		if err := r.ReadBlocks(ctx, lba, block); err != nil {
			if !blocks.Unreadable(err) {
				return p, nil, err
			}
			s.Problem = fmt.Sprintf("block %d cannot be read: %v", lba, err)
			return p, nil, nil
		}
		d, err := iso9660.ParseVolumeDescriptor(block, lba)
		if err != nil {
			s.Problem, s.other = err.Error(), true
			return p, nil, nil
		}
		if p, ok := iso9660.ParsePrimary(d); ok {
			return p, block, nil
		}
		if d.Type() == iso9660.TypeTerminator {
			break
		}
	}
	s.Problem = iso9660.ErrNoPrimary.Error()
	return p, nil, nil
}

// preparer is what burnfs records in all its volume descriptors.
const preparer = "BURNFS"

// countedFrom returns the first block of the session if the volume space size is
// known to be recorded absolutely, that is including all blocks before it. Sessions
// of others record their own size.
func (s *Session) countedFrom() (start uint32, ok bool) {
	switch {
	case s.Mark != nil:
		return s.Mark.Start, true
	case s.Preparer == preparer: // of burnfs image
		return s.Start, true
	}
	return 0, false
}

// tellsOwnSize tells whether the descriptors that were read count from the beginning
// of the session, though it is ours.
func (s *Session) tellsOwnSize() bool { return s.ours() && s.Mark.Sbsector != 0 }

// Sbsector is what Linux and macOS have to be told so that they show the session
// (mount(8), sbsector): where it begins, or where it has descriptors for them.
func (s *Session) Sbsector() uint32 {
	if s.tellsOwnSize() {
		return s.Mark.Sbsector
	}
	return s.Start
}

// ours tells whether the session was written by burnfs where it lies.
func (s *Session) ours() bool { return s.Mark != nil && s.Mark.Start == s.Start }

// Looked is how many blocks of an overwritable medium have to be empty for it
// to count as blank. File systems that leave much room at the beginning, such
// as btrfs with its 64 KiB, have their first structure well below.
const Looked = 512

// readTogether is how many blocks a medium protects with one error correction
// code, at least; if one of them cannot be read, the others cannot either.
const readTogether = 16

// isBlank tells whether nothing was ever recorded on an overwritable medium
// that has no descriptors at block 16. A file that grows (READ CAPACITY tells
// less than can be written) and is not empty is somebody's file; a DVD-RW that
// grows may have been formatted in part.
func isBlank(ctx context.Context, info *medium.Info, r iso9660.BlockReader) (bool, error) {
	block := make([]byte, iso9660.BlockSize)
	if info.Capacity < info.Total && info.Profile != mmc.ProfileDVDRWOver {
		// READ CAPACITY cannot tell an empty file from one of one block.
		if info.Capacity > 1 {
			return false, nil
		}
	}
	formatted := formattedTo(info)
	readable := info.Capacity
	if readable == 0 && formatted > 0 {
		readable = info.Total // the drive refuses READ CAPACITY
	}
	for lba := uint32(0); lba < min(Looked, readable); lba++ {
		switch err := r.ReadBlocks(ctx, lba, block); {
		case err == nil:
			if bytes.Count(block, []byte{0}) != len(block) {
				return false, nil
			}
		case !blocks.Unreadable(err):
			return false, err
		case lba < formatted && bad(err):
			// Dust and scratches look like this, too.
			return false, nil
		default:
			lba |= readTogether - 1 // drives try long before they give a block up
		}
	}
	return true, nil
}

// formattedTo is where the part of an overwritable medium ends that can certainly
// be read, unless the medium is damaged. Behind it is what was not formatted yet.
func formattedTo(info *medium.Info) uint32 {
	switch {
	case info.Unformatted, info.Profile == mmc.ProfileDVDRWOver && info.Formatted == 0:
		return 0
	case info.FormatStopped:
		return Align // formatting begins at the beginning
	}
	return Looked
}

// bad tells whether the drive failed to read, as opposed to saying that there is
// nothing.
func bad(err error) bool {
	return errors.Is(err, mmc.ErrMediumError) || errors.Is(err, mmc.ErrHardware) || errors.Is(err, mmc.ErrAborted)
}

// HeadReserved tells whether blocks 0 to 31 of an overwritable medium belong
// to no session. Where the first session is not at block 32, an image began at
// block 0, and its directories or data may follow its descriptors closely.
func HeadReserved(all []Session) bool {
	return len(all) == 0 || all[0].Start == Align
}

// ErrNoSession: the disc has no session that a next one could continue.
var ErrNoSession = errors.New("the disc is blank: there is no last session to name; burn a first session without -C")

// ErrNoNext: no further session can be written.
var ErrNoNext = errors.New("the disc cannot take another session")

// Next is where the next session will start.
func Next(info *medium.Info, all []Session) (uint32, error) {
	if info.Kind != medium.Overwritable {
		if info.NotWritableReason != "" {
			return 0, fmt.Errorf("%w: %s", ErrNoNext, info.NotWritableReason)
		}
		return info.NWA, nil
	}
	end := uint64(Align)
	for _, s := range all {
		end = max(end, uint64(s.End()))
	}
	if len(all) > 0 && grows(info) {
		// What lies behind the volume, such as a partition, stays.
		if last := &all[len(all)-1]; last.padding == 0 || last.End()+last.padding != info.Capacity {
			end = max(end, uint64(info.Capacity))
		}
	}
	if !HeadReserved(all) {
		// Never block 32, which tells a medium whose head is free.
		end = max(end, 2*Align)
	}
	end = (end + Align - 1) / Align * Align
	if end >= 1<<32 {
		return 0, fmt.Errorf("%w: its end is beyond what ISO 9660 can address", ErrNoNext)
	}
	return uint32(end), nil
}

// MSInfo returns the numbers that cdrecord -msinfo prints and mkisofs -C
// takes: first block of the last session, first block of the next one. A session
// that was cut holds nothing to continue; the one before it counts. On an
// overwritable medium the last session's descriptors are at block 16, so that
// the first number is 0.
func MSInfo(info *medium.Info, all []Session) (last, next uint32, err error) {
	for len(all) > 0 && all[len(all)-1].Cut {
		all = all[:len(all)-1]
	}
	if len(all) == 0 {
		return 0, 0, ErrNoSession
	}
	if next, err = Next(info, all); err != nil {
		return 0, 0, err
	}
	if info.Kind == medium.Overwritable {
		return 0, next, nil
	}
	return all[len(all)-1].Start, next, nil
}
