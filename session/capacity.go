package session

import (
	"context"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/mmc/medium"
	"burnfs/session/history"
	"burnfs/session/tree"
)

// Blocks that a session takes besides directories and data.
const (
	// descriptorBlocks covers the System Area, the descriptors, the copy of
	// somebody else's descriptors, and checksum tags.
	descriptorBlocks = 2*history.Align + 16
	// padBlocks are what the recorder adds to a CD track, so that its last
	// blocks are readable.
	padBlocks = 150
)

// freeBlocks is what can be written from the next session's start on. The
// caller holds d.mu or has the disc alone.
func (d *Disc) freeBlocks() int64 {
	if notWritable(d.info) != "" {
		return 0
	}
	if d.info.Kind != medium.Overwritable {
		return int64(d.info.Free)
	}
	next, err := history.Next(d.info, d.sessions)
	if err != nil {
		return 0
	}
	return int64(d.info.Free) - int64(next)
}

// space tells the tree what the disc takes.
func (d *Disc) space(ctx context.Context) (tree.Space, error) {
	if d.store == nil {
		return tree.Space{Total: int64(d.info.Total), Free: d.freeBlocks(), Gap: int64(d.info.Gap)}, nil
	}
	return d.spaceToWrite(ctx)
}

// spaceToWrite is space of a disc that can be written.
func (d *Disc) spaceToWrite(ctx context.Context) (tree.Space, error) {
	s := tree.Space{Total: int64(d.info.Total), Free: d.freeBlocks(), Gap: int64(d.info.Gap)}
	s.Overhead = descriptorBlocks + int64(d.info.WriteUnit) + padBlocks + int64(d.info.MinTrack)
	var err error
	s.Tree, err = d.treeBlocks(ctx)
	return s, err
}

// treeBlocks is an upper bound of what the base's directories take when they
// are recorded again, with the checksums of its files.
func (d *Disc) treeBlocks(ctx context.Context) (int64, error) {
	switch {
	case d.base == nil:
		return 0, nil
	case d.base.OwnSerials():
		m := d.base.session.Mark
		return m.Tree + m.Files/(blockSize/16) + 1, nil
	}
	// A tree of somebody else's gets Rock Ridge, Joliet and checksums: a
	// record of at least 34 bytes becomes at most some 300 besides names.
	var sum int64
	block := make([]byte, blockSize)
	table := d.base.PathTable(ctx)
	if d.base.Tree() == volume.Joliet {
		table = d.base.JolietPathTable(ctx) // its names are the longer ones
	}
	for rec, err := range table {
		if err != nil {
			return 0, problem(ErrNoISO, err, "the directories of the disc cannot be counted, so nobody can tell what still fits; nothing was changed; mount with -o ro")
		}
		size := int64(blockSize)
		if err := d.disc.ReadBlocks(ctx, rec.Location, block); err != nil {
			return 0, problem(ErrNoISO, err, "a directory of the disc cannot be read, and a new session would lose its files; nothing was changed; mount with -o ro")
		}
		if self, err := iso9660.ParseDirectoryRecord(block); err == nil {
			size = max(size, int64(self.DataLength()))
		}
		sum += 6*size/blockSize + 6
	}
	return sum, nil
}

// nextIno is the lowest inode number that the base does not use.
func (d *Disc) nextIno() uint64 {
	switch {
	case d.base == nil:
		return tree.FirstInode(0)
	case d.base.OwnSerials():
		return d.base.session.Mark.NextIno
	}
	next, err := history.Next(d.info, d.sessions)
	if err != nil {
		next = d.base.Primary().VolumeSpaceSize() + d.base.session.Start
	}
	return tree.FirstInode(next)
}
