package session

import (
	"context"

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

// padded is what a session of so many blocks takes on the medium.
func (d *Disc) padded(blocks int64) int64 { return padded(d.info, blocks) }

func padded(info *medium.Info, blocks int64) int64 {
	if info.Profile.IsCD() {
		blocks += padBlocks
	}
	return max(blocks, int64(info.MinTrack))
}

// assumeRoom is for a CD with the track of a burn that was cut off, where a drive
// tells no room before that track is closed: it reaches at most to the end of what
// was planned, so there is what lies behind that.
func (d *Disc) assumeRoom() {
	open := d.info.OpenTrack
	if d.job == nil || open == nil || open.NWAValid || open.Start != d.job.plan.Start() {
		return
	}
	used := uint64(open.Start) + uint64(d.job.plan.Blocks()) + padBlocks + uint64(d.info.Gap)
	if total := uint64(d.info.Total); total > used {
		d.info.Free = uint32(total - used)
	}
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
	s.Overhead = d.padded(descriptorBlocks + int64(d.info.WriteUnit))
	var err error
	s.Tree, s.Dirs, err = d.treeBlocks(ctx)
	return s, err
}

// treeBlocks is an upper bound of what the base's directories take when they
// are recorded again, with the checksums of its files, and their number.
func (d *Disc) treeBlocks(ctx context.Context) (blocks, dirs int64, err error) {
	switch {
	case d.base == nil:
		return 0, 0, nil
	case d.base.OwnSerials():
		m := d.base.session.Mark
		const digests = 16 + 32 // of a file: MD5 and SHA-256
		return m.Tree + m.Files*digests/blockSize + 2, m.Dirs, nil
	}
	// A tree of somebody else's gets Rock Ridge, Joliet and checksums.
	if blocks, dirs, err = tree.BaseCost(ctx, d.base); err != nil {
		return 0, 0, problem(ErrNoISO, err, "the directories of the disc cannot be read, so nobody can tell what still fits; nothing was changed; mount with -o ro")
	}
	return blocks, dirs, nil
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
