package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// Numbers of blocks.
const (
	windowBlocks       = 32 // of a directory, read at a time
	continuationBlocks = 8  // of Continuation Areas, read ahead at a time
	maxBadBlocks       = 64 // unreadable or empty ones in a row after which a directory is given up
)

// minRecord is the length of a Directory Record without anything that may be left
// out (ECMA-119 9.1). A shorter one says nothing of where the next one is.
const minRecord = 33

// freeAreas is how many bytes of Continuation Areas the entries of a directory may
// have in common. Producers give each an area of its own; on a hostile disc a
// thousand records of 60 bytes would have a MiB of attributes each.
const freeAreas = 64 << 10

// sectionSlab is how many Sections are allocated at a time.
const sectionSlab = 64

// A scanner has the buffers that it takes to read a directory. It serves one
// directory at a time; the Volume keeps those that are idle.
type scanner struct {
	v *Volume

	window    []byte // blocks of the directory that is being read
	windowLBA uint32
	ended     bool   // the directory ended before its size says
	empty     int    // blocks without records, in a row
	single    []byte // one block of something else

	continuation    []byte // blocks with Continuation Areas
	continuationLBA uint32
	areas           areas
	metMoved        bool // a directory with the name of that for relocated ones

	identifier []byte
	name       rrip.NameDecoder
	target     rrip.TargetDecoder
	attrs      aaip.Decoder
	sections   []iso9660.Section // not yet given away
}

func (v *Volume) scanner() *scanner {
	s := v.scanners.Get().(*scanner)
	s.areas.reset()
	return s
}

func (v *Volume) release(s *scanner) { v.scanners.Put(s) }

func (s *scanner) block() []byte {
	if s.single == nil {
		s.single = make([]byte, iso9660.BlockSize)
	}
	return s.single
}

// section gives e its first section without an allocation of its own.
func (s *scanner) section(e *Entry, section iso9660.Section) {
	if len(s.sections) == 0 {
		s.sections = make([]iso9660.Section, sectionSlab)
	}
	e.Sections = s.sections[:1:1]
	s.sections = s.sections[1:]
	e.Sections[0] = section
}

// A record is a Directory Record and where it begins.
type record struct {
	iso9660.DirectoryRecord
	lba    uint32
	offset int
}

// A readError is that of the BlockReader: nothing is wrong with the format, and the
// next time it may be read.
type readError struct{ error }

func (e *readError) Unwrap() error { return e.error }

func (r record) error(err error) error {
	if read, ok := errors.AsType[*readError](err); ok {
		return fmt.Errorf("directory record at block %d, byte %d: %w", r.lba, r.offset, read.error)
	}
	return &iso9660.FormatError{What: "directory record", LBA: r.lba, Offset: r.offset, Err: err}
}

// records yields the records of a directory, each valid until the next one.
func (s *scanner) records(ctx context.Context, dir Directory) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		s.ended = false
		if int64(dir.LBA)+dir.Blocks() >= 1<<32 { // READ(10) cannot name the last block
			yield(record{}, &iso9660.FormatError{What: "extent of a directory", LBA: dir.LBA, Err: iso9660.ErrOutside})
			return
		}
		s.empty, s.metMoved = 0, false
		for at := int64(0); at < dir.Blocks() && !s.ended; {
			n := int(min(windowBlocks, dir.Blocks()-at))
			lba := dir.LBA + uint32(at)
			at += int64(n)
			if err := s.load(ctx, lba, n); err != nil {
				if n > 1 && ctx.Err() == nil {
					if !s.salvage(ctx, &dir, lba, n, yield) {
						return
					}
					continue
				}
				yield(record{}, err)
				return
			}
			if lba == dir.LBA {
				dir = s.enlarge(dir)
			}
			if !s.inWindow(dir, yield) {
				return
			}
		}
	}
}

// enlarge gives a directory the size that its own record says, which is at the
// beginning of the window, if its parent says less. Linux believes the former,
// others the latter; to lose no entry, the larger one counts.
func (s *scanner) enlarge(dir Directory) Directory {
	self, err := iso9660.ParseDirectoryRecord(s.window)
	if err != nil || !self.IsSelf() || self.Section().LBA != dir.LBA {
		return dir
	}
	if size := int64(self.DataLength()); size > dir.Size && int64(dir.LBA)+(size+iso9660.BlockSize-1)/iso9660.BlockSize < 1<<32 {
		s.v.log.Warn("a directory is larger by its own record than by its parent's", "block", dir.LBA, "size", size, "parent says", dir.Size)
		dir.Size = size
	}
	return dir
}

func (s *scanner) load(ctx context.Context, lba uint32, n int) error {
	if size := n * iso9660.BlockSize; cap(s.window) < size {
		s.window = make([]byte, size)
	} else {
		s.window = s.window[:size]
	}
	s.windowLBA = lba
	err := s.v.blocks.ReadBlocks(ctx, lba, s.window)
	if err != nil {
		s.window = s.window[:0]
	}
	return err
}

// salvage reads the n blocks from lba on one by one, after they could not be read
// at once. It yields one error for each run of bad blocks.
func (s *scanner) salvage(ctx context.Context, dir *Directory, lba uint32, n int, yield func(record, error) bool) bool {
	bad := 0
	for i := range uint32(n) {
		if s.ended {
			return true
		}
		err := s.load(ctx, lba+i, 1)
		if err == nil && lba+i == dir.LBA {
			*dir = s.enlarge(*dir)
		}
		switch {
		case ctx.Err() != nil:
			yield(record{}, ctx.Err())
			return false
		case err == nil:
			bad = 0
			if !s.inWindow(*dir, yield) {
				return false
			}
			continue
		case bad == 0:
			if !yield(record{}, err) {
				return false
			}
		}
		bad++
	}
	return bad < n
}

// inWindow yields the records in the window. Where a record is broken, its length
// leads to the next one; if that is what is broken, the next one that can be found
// is the first of the following block.
//
// A block that begins with the record of a directory that lies there is another
// directory: the size is too large, and this one ends before. So it does behind many
// blocks without records.
func (s *scanner) inWindow(dir Directory, yield func(record, error) bool) bool {
	for at := 0; at < len(s.window); at += iso9660.BlockSize {
		lba := s.windowLBA + uint32(at/iso9660.BlockSize)
		rest := dir.Size - int64(lba-dir.LBA)*iso9660.BlockSize
		block := s.window[at : at+int(min(iso9660.BlockSize, rest))]
		if block[0] != 0 {
			s.empty = 0
		} else {
			if s.empty++; s.empty == maxBadBlocks {
				yield(record{}, record{lba: lba}.error(errNoRecords))
				return false
			}
			if bytes.Count(block, []byte{0}) != len(block) && !yield(record{}, record{lba: lba}.error(errShifted)) {
				return false
			}
		}
		for offset := 0; offset < len(block) && block[offset] != 0; {
			r := record{lba: lba, offset: offset}
			var err error
			if r.DirectoryRecord, err = iso9660.ParseDirectoryRecord(block[offset:]); err != nil {
				if !yield(record{}, r.error(err)) {
					return false
				}
				length := int(block[offset])
				if length < minRecord || length > len(block)-offset {
					break
				}
				offset += length
				continue
			}
			if offset == 0 && lba != dir.LBA && r.IsSelf() && r.Section().LBA == lba {
				s.v.log.Warn("a directory is recorded with a size that includes the next one", "block", dir.LBA, "size", dir.Size)
				s.ended = true
				return true
			}
			if !yield(r, nil) {
				return false
			}
			offset += r.Length()
		}
	}
	return true
}

// ReadContinuation reads a Continuation Area, and a little more than it, because
// those of one directory usually lie together.
func (s *scanner) ReadContinuation(ctx context.Context, ce susp.CE) ([]byte, error) {
	first := int64(ce.LBA) + int64(ce.Offset/iso9660.BlockSize)
	offset := int64(ce.Offset % iso9660.BlockSize)
	blocks := (offset + int64(ce.Length) + iso9660.BlockSize - 1) / iso9660.BlockSize
	if first+blocks >= 1<<32 {
		return nil, iso9660.ErrOutside
	}
	if !s.areas.take(uint32(first), uint32(blocks), int64(ce.Length)) {
		return nil, iso9660.ErrTooMuch
	}
	if area, ok := within(s.window, s.windowLBA, first, offset, int64(ce.Length)); ok {
		return area, nil
	}
	if area, ok := within(s.continuation, s.continuationLBA, first, offset, int64(ce.Length)); ok {
		return area, nil
	}
	ahead := min(max(blocks, continuationBlocks), 1<<32-1-first)
	if size := ahead * iso9660.BlockSize; int64(cap(s.continuation)) < size {
		s.continuation = make([]byte, size)
	}
	s.continuationLBA = uint32(first)
	for _, n := range [...]int64{ahead, blocks} {
		s.continuation = s.continuation[:n*iso9660.BlockSize]
		err := s.v.blocks.ReadBlocks(ctx, uint32(first), s.continuation)
		if err == nil {
			break
		}
		if n == blocks || ctx.Err() != nil {
			s.continuation = s.continuation[:0]
			return nil, &readError{err}
		}
	}
	return s.continuation[offset : offset+int64(ce.Length)], nil
}

func within(window []byte, windowLBA uint32, first, offset, length int64) ([]byte, bool) {
	from := (first-int64(windowLBA))*iso9660.BlockSize + offset
	if from < 0 || from+length > int64(len(window)) {
		return nil, false
	}
	return window[from : from+length], true
}
