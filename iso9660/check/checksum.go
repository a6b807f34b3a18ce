package check

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"hash"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// tags are the checksum tags of a session, as far as they could be found.
type tags struct {
	superblock, tree, session          checksum.Tag
	hasSuperblock, hasTree, hasSession bool
	reported                           bool // that one is damaged
}

// findTags follows the tags from the one behind the descriptors, which end before
// block end. A session need not have any.
func (c *checker) findTags(end int64) {
	tag, ok := c.tag(end, checksum.Superblock, true)
	if ok && tag.Kind == checksum.RelocatedSuperblock {
		c.structure("the checksum tag of the superblock", end, 1)
		c.relocated(tag)
		c.session = tag.Next
		if end, ok = c.named(tag.Next); !ok {
			c.tags.reported = true
			return
		}
		tag, ok = c.tag(end, checksum.Superblock, false)
	}
	further := end // where the descriptors may be repeated
	if ok {
		c.structure("the checksum tag of the superblock", end, 1)
		further++
	}
	if c.start == c.session && c.start != 0 {
		c.furtherDescriptors(further)
	}
	if ok {
		c.followTags(tag)
	}
}

// savedBlocks is how many blocks from the beginning of an image are kept elsewhere
// when the descriptors at block 16 are replaced.
const savedBlocks = 32

// isSaved tells whether the tag of the superblock at lba is that of an image that
// began elsewhere, and whose first blocks were saved at c.start before others took
// their place.
func (c *checker) isSaved(tag checksum.Tag, lba int64) bool {
	return tag.Kind == checksum.Superblock && tag.RangeStart < c.start && tag.Pos > tag.RangeStart &&
		lba-int64(c.start) == int64(tag.Pos)-int64(tag.RangeStart) && lba < int64(c.start)+savedBlocks
}

// followTags goes on from the tag of the superblock.
func (c *checker) followTags(tag checksum.Tag) {
	ok := false
	c.tags.superblock, c.tags.hasSuperblock = tag, true
	if c.tags.tree, ok = c.tag(int64(tag.Next), checksum.Tree, false); !ok {
		return
	}
	c.tags.hasTree = true
	c.structure("the checksum tag of the tree", int64(tag.Next), 1)
	next := c.tags.tree.Next
	if c.tags.session, ok = c.tag(int64(next), checksum.Session, false); !ok {
		return
	}
	c.tags.hasSession = true
	c.absolute = next < c.size
	c.structure("the checksum tag of the session", int64(next), 1)
}

// tag reads the tag that should be at lba. optional says that there may be none, or
// that of a relocated superblock, too.
func (c *checker) tag(lba int64, kind checksum.Kind, optional bool) (checksum.Tag, bool) {
	block := make([]byte, iso9660.BlockSize)
	if err := c.read(lba, block); err != nil {
		if !optional && !c.done() {
			c.report(ChecksumTag, uint32(lba), 0, "", "the tag %v cannot be read: %v", kind, err)
		}
		return checksum.Tag{}, false
	}
	tag, err := checksum.ParseTag(block)
	switch {
	case optional && errors.Is(err, checksum.ErrNoTag) && !bytes.HasPrefix(block, []byte("libisofs_")):
		return tag, false
	case err != nil:
		c.tags.reported = true
		c.report(ChecksumTag, uint32(lba), 0, "", "the tag %v: %v", kind, err)
		return tag, false
	case optional && tag.Kind == checksum.RelocatedSuperblock:
		kind = tag.Kind
	case optional && c.isSaved(tag, lba):
		c.session, c.saved = tag.RangeStart, true
		lba = int64(tag.Pos)
	}
	begin := c.session
	if tag.Kind != kind || int64(tag.Pos) != lba || tag.RangeStart != begin || int64(tag.RangeSize) != lba-int64(begin) ||
		(kind == checksum.Superblock || kind == checksum.Tree) && int64(tag.Next) <= lba {
		c.tags.reported = true
		c.report(ChecksumTag, uint32(lba), 0, "", "the tag is out of place: %v at block %d for the %d blocks from %d on, next %d", tag.Kind, tag.Pos, tag.RangeSize, tag.RangeStart, tag.Next)
		return tag, false
	}
	return tag, true
}

// relocated checks the copy of the descriptors at the beginning of an overwritable
// medium.
func (c *checker) relocated(tag checksum.Tag) {
	if sum, ok := c.sum(int64(tag.RangeStart), int64(tag.RangeSize)); ok && sum != tag.MD5 {
		c.report(SuperblockChecksum, c.start+iso9660.FirstDescriptor, 0, "", "the volume descriptors at the beginning of the medium do not match their MD5, in block %d", tag.Pos)
	}
}

// named finds the end of the descriptors of the session that a relocated superblock
// names, and compares them with those at the beginning of the medium.
func (c *checker) named(session uint32) (end int64, ok bool) {
	for i := range int64(maxDescriptors) {
		lba := int64(session) + iso9660.FirstDescriptor + i
		d, err := c.descriptor(lba)
		if err != nil {
			if !c.done() {
				c.report(RelocatedSuperblock, uint32(lba), 0, "", "the beginning of the medium names block %d as the session's, but a descriptor there cannot be read: %v", session, err)
			}
			return 0, false
		}
		var tree iso9660.TreeDescriptor
		switch d.Type() {
		case iso9660.TypeTerminator:
			return lba + 1, true
		case iso9660.TypePrimary:
			tree = c.primary
		default:
			continue
		}
		// Places of path tables and of the root.
		if from, to := 132, 190; !bytes.Equal(tree.VolumeDescriptor[from:to], d[from:to]) {
			c.report(RelocatedSuperblock, uint32(lba), 0, "", "the descriptor at the beginning of the medium leads to another tree than that of the session which it names, at block %d", session)
			return 0, false
		}
	}
	return 0, false
}

// findArray looks at isofs.ca of the root, which tells where the MD5s are.
func (c *checker) findArray(t *tree) {
	if !c.hasArea {
		if c.tags.hasSession && t.rockRidge && !t.damaged {
			c.report(ChecksumArray, c.tags.session.Pos, 0, "", "the session has checksum tags, but no %s in the root that tells where its MD5s are", checksum.AreaName)
		}
		return
	}
	a := c.array
	if c.start == 0 && a.Start != 0 && !c.tags.hasSuperblock && !c.tags.reported {
		// A relocated superblock without a tag of its own, for which there may
		// be no room in front of the image that was there before.
		c.session = a.Start
		if end, ok := c.named(a.Start); !ok {
			c.tags.reported = true
		} else if tag, ok := c.tag(end, checksum.Superblock, false); ok {
			c.structure("the checksum tag of the superblock", end, 1)
			c.followTags(tag)
		}
	}
	array, err := checksum.NewArray(arrayReader{c}, a)
	if err != nil {
		c.report(ChecksumArray, a.Array, 0, "", "%s makes no sense: %+v", checksum.AreaName, a)
		return
	}
	blocks := int64(checksum.ArrayBlocks(a.Count))
	if !c.inside(int64(a.Array), blocks) {
		c.report(ChecksumArray, a.Array, 0, "", "the array of MD5s, %d blocks at block %d, does not lie in the volume", blocks, a.Array)
		return
	}
	c.structure("the array of MD5s", int64(a.Array), blocks)
	if a.Start != c.session && !c.tags.reported {
		c.report(ChecksumArray, a.Array, 0, "", "%s is for a session at block %d instead of %d", checksum.AreaName, a.Start, c.session)
		return
	}
	switch t := c.tags; {
	case !t.hasSuperblock && !t.reported:
		c.report(ChecksumTag, c.start+iso9660.FirstDescriptor, 0, "", "the session has an array of MD5s, but no checksum tag behind its descriptors")
	case t.hasSession && int64(t.session.Pos) != int64(a.Array)+blocks:
		c.report(ChecksumArray, a.Array, 0, "", "the array of MD5s ends before block %d, and its tag is at block %d", int64(a.Array)+blocks, t.session.Pos)
	}
	if err := array.Verify(c.ctx); err != nil {
		if !c.done() {
			c.report(ChecksumArray, a.Array, 0, "", "the array of MD5s: %v", err)
		}
		return
	}
	c.sums = array
	c.findSHA256s()
}

// findSHA256s looks at the array of SHA-256s, which is the neighbour of that of the
// MD5s. A session need not have one.
func (c *checker) findSHA256s() {
	if !c.hasBH {
		return
	}
	a := c.sha256
	if !a.Beside(c.array) {
		c.report(SHA256Array, a.Array, 0, "", "BH, %+v, does not fit to %s, %+v", a, checksum.AreaName, c.array)
		return
	}
	if tree := int64(c.tags.tree.Pos); c.tags.hasTree && int64(a.Data) != tree+1 {
		c.report(SHA256Array, a.Array, 0, "", "by BH the directories end before block %d, and their tag is at block %d", a.Data, tree)
		return
	}
	array, err := checksum.NewSHA256Array(arrayReader{c}, a)
	if err == nil {
		c.structure("the array of SHA-256s", int64(a.Array), int64(checksum.SHA256Blocks(a.Count)))
		err = array.Verify(c.ctx)
	}
	if err != nil {
		if !c.done() {
			c.report(SHA256Array, a.Array, 0, "", "the array of SHA-256s: %v", err)
		}
		return
	}
	c.shas = array
}

// An arrayReader reads for package checksum.
type arrayReader struct{ c *checker }

// ReadBlocks implements iso9660.BlockReader.
func (r arrayReader) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	return r.c.read(int64(lba), p)
}

// digests compares the MD5s of superblock and tree, the SHA-256 of the tree, and the
// MD5 of the session if data is to be read, in one pass.
func (c *checker) digests() {
	if !c.tags.hasSuperblock {
		return
	}
	md5s, shas := md5.New(), sha256.New()
	points := []point{{int64(c.tags.superblock.Pos), md5s, c.tags.superblock.MD5[:], SuperblockChecksum, "the volume descriptors do not match the MD5"}}
	if c.tags.hasTree {
		points = append(points, point{int64(c.tags.tree.Pos), md5s, c.tags.tree.MD5[:], TreeChecksum, "descriptors and directories do not match the MD5"})
	}
	tree := int64(c.session) // end of what shas has to cover
	if c.shas != nil && c.tags.hasTree {
		if sum, err := c.shas.Tree(c.ctx); err == nil {
			tree = int64(c.sha256.Data)
			points = append(points, point{tree, shas, sum[:], TreeSHA256, "descriptors and directories do not match the SHA-256"})
		}
	}
	if c.opt.Data && c.tags.hasTree && c.tags.hasSession && c.sums != nil {
		if sum, err := c.sums.Session(c.ctx); err == nil {
			points = append(points,
				point{int64(c.array.Array), md5s, sum[:], SessionChecksum, "descriptors, directories and files do not match the MD5"},
				point{int64(c.tags.session.Pos), md5s, c.tags.session.MD5[:], SessionChecksum, "the session as a whole does not match the MD5"})
		}
	}
	at := int64(c.session)
	buffer := newWindow()
	for _, p := range points {
		ok := true
		bad := func(lba int64, err error) {
			ok = false
			c.report(Unreadable, uint32(lba), 0, "", "a block cannot be read, so that %s: %v", p.what, err)
		}
		for at < p.lba && ok && !c.done() {
			from, blocks := at, p.lba-at
			if head := int64(c.session) + savedBlocks; c.saved && at < head {
				from, blocks = at-int64(c.session)+int64(c.start), min(blocks, head-at)
			}
			c.window(buffer, from, blocks, bad, func(_ int64, b []byte) bool {
				md5s.Write(b)
				if p.lba <= tree {
					shas.Write(b)
				}
				return ok
			})
			at += blocks
		}
		if !ok || c.done() {
			return
		}
		if !bytes.Equal(p.digest.Sum(nil), p.want) {
			c.report(p.rule, c.session, 0, "", "%s of blocks %d to %d", p.what, c.session, p.lba-1)
			return // what follows covers the same
		}
	}
}

// A point is where a checksum of all blocks from the session's beginning is recorded.
type point struct {
	lba    int64
	digest hash.Hash
	want   []byte
	rule   Rule
	what   string
}

// sum is the MD5 of some blocks.
func (c *checker) sum(lba, blocks int64) (sum [md5.Size]byte, ok bool) {
	digest := md5.New()
	ok = true
	c.window(newWindow(), lba, blocks, func(at int64, err error) {
		ok = false
		c.report(Unreadable, uint32(at), 0, "", "a block with a checksum cannot be read: %v", err)
	}, func(_ int64, b []byte) bool {
		digest.Write(b)
		return true
	})
	return [md5.Size]byte(digest.Sum(nil)), ok && !c.done()
}
