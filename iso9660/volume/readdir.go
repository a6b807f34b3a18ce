package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"burnfs/iso9660"
)

// maxSections is the number of File Sections of one file that are put together:
// 256 TiB of the largest ones. It bounds what a hostile directory can make of one
// entry.
const maxSections = 1 << 16

// Reasons for which an entry is not shown.
var (
	errInterleaved = errors.New("the file is recorded interleaved with another one, which is not supported")
	errSparse      = errors.New("sparse files (SF) are not supported")
	errUnfinished  = errors.New("the last section of the file is missing")
	errOtherVolume = errors.New("the file lies on another volume of the set")
	errNoType      = errors.New("the type of the file is none of POSIX")
	errLongTarget  = fmt.Errorf("the target of the symbolic link is longer than Linux can tell: %w", iso9660.ErrTooMuch)
	errShifted     = errors.New("a block of the directory does not begin with a record, and is not empty")
	errNoRecords   = fmt.Errorf("%d blocks of the directory are empty: %w", maxBadBlocks, iso9660.ErrTooMuch)
	// errNoSelf is also how blocks of zeros look that a bad drive gives instead
	// of a directory.
	errNoSelf = errors.New("the directory does not begin with its own record (ECMA-119 6.8.2.2)")
)

// Root is the root directory. Where what is recorded of its attributes is broken,
// there is an Entry without them beside the *iso9660.FormatError.
func (v *Volume) Root(ctx context.Context) (Entry, error) {
	s := v.scanner()
	defer v.release(s)
	self, err := v.selfRecord(ctx, v.root.LBA, s.block())
	if err != nil {
		return Entry{}, err
	}
	r := record{DirectoryRecord: self, lba: v.root.LBA}
	e, _, err := s.decode(ctx, r)
	if ctx.Err() != nil {
		return Entry{}, ctx.Err()
	}
	if err != nil {
		err = r.error(err)
		e = Entry{Mode: defaultDirectoryMode, Nlink: 1, RecordLBA: v.root.LBA}
	}
	e.Name = ""
	e.Size, e.Sections = v.root.Size, []iso9660.Section{v.root}
	return e, err
}

// ReadDir yields the entries of a directory in the order of its records. Those of
// the directory itself and of its parent are not among them.
//
// An entry that is broken is yielded as a *iso9660.FormatError beside an empty
// Entry, blocks that cannot be read as the error of the BlockReader; the entries
// that can be read follow nevertheless.
func (v *Volume) ReadDir(ctx context.Context, dir Directory) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s := v.scanner()
		defer v.release(s)
		s.readDir(ctx, dir, yield)
	}
}

// A pending is an entry some of whose sections are still to come.
type pending struct {
	entry      Entry
	identifier []byte
	first      record
	active     bool
	shown      bool
	err        error
}

func (s *scanner) readDir(ctx context.Context, dir Directory, yield func(Entry, error) bool) {
	var file pending
	file.identifier = s.identifier[:0]
	defer func() { s.identifier = file.identifier }()
	finish := func() bool {
		file.active = false
		switch {
		case file.err != nil:
			return yield(Entry{}, file.first.error(file.err))
		case file.shown:
			s.v.complete(&file.entry)
			return yield(file.entry, nil)
		}
		return true
	}

	begun := false
	for r, err := range s.records(ctx, dir) {
		if err != nil {
			begun = true // it says enough
			if !yield(Entry{}, err) {
				return
			}
			continue
		}
		if !begun && !r.IsSelf() && !yield(Entry{}, r.error(errNoSelf)) {
			return
		}
		begun = true
		if r.IsSelf() || r.IsParent() || r.Flags()&iso9660.FlagAssociated != 0 {
			continue
		}
		if file.active && (r.IsDirectory() || !bytes.Equal(r.Identifier(), file.identifier)) {
			if file.err == nil {
				file.err = errUnfinished
			}
			if !finish() {
				return
			}
		}
		if !file.active {
			file.first = record{lba: r.lba, offset: r.offset}
			file.entry, file.shown, file.err = s.decode(ctx, r)
			if ctx.Err() != nil {
				yield(Entry{}, ctx.Err())
				return
			}
			file.active = true
		} else if file.err == nil && file.entry.IsRegular() {
			file.err = s.addSection(&file.entry, r)
		}
		if r.IsMultiExtent() && !r.IsDirectory() {
			file.identifier = append(file.identifier[:0], r.Identifier()...)
			continue
		}
		if !finish() {
			return
		}
	}
	if file.active {
		if file.err == nil {
			file.err = errUnfinished
		}
		if !finish() {
			return
		}
	}
	if !begun && dir.Size > 0 {
		yield(Entry{}, record{lba: dir.LBA}.error(errNoSelf))
	}
}

// holdsOnlyRelocated tells whether a directory serves no other purpose than to
// hold relocated ones.
func (v *Volume) holdsOnlyRelocated(ctx context.Context, dir Directory) bool {
	s := v.scanner()
	defer v.release(s)
	some := false
	for r, err := range s.records(ctx, dir) {
		if err != nil {
			return false
		}
		if r.IsSelf() || r.IsParent() {
			continue
		}
		var rr rockRidge
		if err := s.rockRidge(ctx, r, &rr); err != nil || !rr.relocated {
			return false
		}
		some = true
	}
	return some
}
