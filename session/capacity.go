package session

import (
	"context"

	"burnfs/iso9660/volume"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
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

// space tells the tree what the disc takes. Where that is not known before many
// directories were read, cost finds it out in the background.
func (d *Disc) space(ctx context.Context) (s tree.Space, cost *tree.BaseCost, err error) {
	s = d.spaceBeside()
	if d.store == nil {
		return s, nil, nil
	}
	s.Overhead = d.overhead()
	if d.base == nil || d.base.OwnSerials() {
		s.Tree, s.Dirs = d.ownTree()
		return s, nil, nil
	}
	cost, err = d.findTreeCost(ctx)
	if err != nil {
		return s, nil, err
	}
	done, err := cost.WaitSome(ctx)
	if done && err == nil {
		s.Tree, s.Dirs, err = cost.Wait(ctx)
		cost = nil
	}
	if err != nil {
		return s, nil, d.unknownTree(err)
	}
	return s, cost, nil
}

// spaceToWrite is space of a disc that can be written, when all is known.
func (d *Disc) spaceToWrite(ctx context.Context) (tree.Space, error) {
	s := d.spaceBeside()
	s.Overhead = d.overhead()
	if d.base == nil || d.base.OwnSerials() {
		s.Tree, s.Dirs = d.ownTree()
		return s, nil
	}
	cost := tree.NewBaseCost()
	cost.Find(ctx, d.base)
	var err error
	if s.Tree, s.Dirs, err = cost.Wait(ctx); err != nil {
		err = d.unknownTree(err)
	}
	return s, err
}

// spaceBeside is what a session has no part in.
func (d *Disc) spaceBeside() tree.Space {
	return tree.Space{Total: int64(d.info.Total), Free: d.freeBlocks(), Gap: int64(d.info.Gap)}
}

func (d *Disc) overhead() int64 { return d.padded(descriptorBlocks + int64(d.info.WriteUnit)) }

// ownTree is an upper bound of what the directories of a base of ours, or of none, take
// when they are recorded again, with the checksums of its files, and their number.
func (d *Disc) ownTree() (blocks, dirs int64) {
	if d.base == nil {
		return 0, 0
	}
	m := d.base.session.Mark
	const digests = 16 + 32 // of a file: MD5 and SHA-256
	return m.Tree + m.Files*digests/blockSize + 2, m.Dirs
}

// countingCache is how many bytes of directories are cached for those who read all of
// them once.
const countingCache = 1 << 20

// findTreeCost begins to find out what a tree of somebody else's takes when it gets
// Rock Ridge, Joliet and checksums.
func (d *Disc) findTreeCost(ctx context.Context) (*tree.BaseCost, error) {
	v, err := volume.Open(ctx, blocks.NewSmall(source{d}, countingCache), d.base.session.Start, volume.Options{})
	if err != nil {
		return nil, d.unknownTree(err)
	}
	cost := tree.NewBaseCost()
	counted := &base{Volume: v, session: d.base.session}
	d.background.Go(func() {
		cost.Find(d.life, counted)
		if _, _, err := cost.Wait(d.life); err != nil && d.life.Err() == nil {
			d.log.Error("nothing can be changed, because nobody can tell what still fits", "error", err)
			d.mu.Lock()
			defer d.mu.Unlock()
			d.warnings = append(d.warnings, "the directories of the disc cannot be read, so nobody can tell what still fits; nothing can be changed; mount with -o ro, or try again")
		}
	})
	return cost, nil
}

func (d *Disc) unknownTree(err error) error {
	return problem(ErrNoISO, err, "the directories of the disc cannot be read, so nobody can tell what still fits; nothing was changed; mount with -o ro")
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
