package merge

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// A Source merges a tree over that of a volume. It is safe for concurrent use if
// the source of the new tree is.
type Source struct {
	old   *volume.Volume
	fresh image.Source // nil for nothing new

	mu    sync.Mutex      // guards what follows
	sums  *checksum.Array // nil when the volume has none, or damaged ones
	shas  *checksum.SHA256Array
	links map[link]uint64 // IDs of old files with several names
}

var _ image.Source = (*Source)(nil)

// New makes a Source of what old shows with the tree of fresh, which may be
// nil, over it. Nodes of fresh come out as they went in but for their ID, so
// that what opened their content before still does.
//
// Checksums of the volume that do not match their own checksum are not carried
// forward; damaged then tells why.
func New(ctx context.Context, old *volume.Volume, fresh image.Source) (s *Source, damaged error, err error) {
	s = &Source{old: old, fresh: fresh, links: map[link]uint64{}}
	s.sums, err = old.Checksums(ctx)
	if err != nil || s.sums == nil {
		s.sums = nil
		return s, err, ctx.Err()
	}
	if err := s.sums.Verify(ctx); err != nil {
		s.sums = nil
		return s, err, ctx.Err()
	}
	s.shas, err = old.SHA256s(ctx)
	if err == nil && s.shas != nil {
		err = s.shas.Verify(ctx)
	}
	if err != nil {
		s.shas = nil
		return s, err, ctx.Err()
	}
	return s, nil, nil
}

// A directory is the handle of a directory: where each tree has it.
type directory struct {
	old   *volume.Directory
	fresh *image.Node
}

// Root returns the root of the new tree, or that of the volume.
func (s *Source) Root(ctx context.Context) (image.Node, error) {
	root, err := s.old.Root(ctx)
	if err != nil {
		return image.Node{}, err
	}
	if s.fresh == nil {
		n, at := s.oldNode(&root), root.Directory()
		n.Handle = directory{old: &at}
		return n, nil
	}
	fresh, err := s.fresh.Root(ctx)
	if err != nil {
		return image.Node{}, err
	}
	return s.freshNode(fresh, &root), nil
}

// Children yields the entries of a directory, the new ones first.
func (s *Source) Children(ctx context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		at, ok := dir.Handle.(directory)
		if !ok {
			yield(image.Node{}, fmt.Errorf("merge: a directory of another source"))
			return
		}
		fresh, err := s.freshChildren(ctx, at)
		if err != nil {
			yield(image.Node{}, err)
			return
		}
		if at.old == nil {
			for _, n := range fresh {
				if !yield(s.freshNode(n, nil), nil) {
					return
				}
			}
			return
		}
		s.merged(ctx, *at.old, fresh, yield)
	}
}

func (s *Source) freshChildren(ctx context.Context, at directory) ([]image.Node, error) {
	if at.fresh == nil {
		return nil, nil
	}
	var nodes []image.Node
	for n, err := range s.fresh.Children(ctx, *at.fresh) {
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// merged yields the entries of a directory of the volume and those over it.
func (s *Source) merged(ctx context.Context, at volume.Directory, fresh []image.Node, yield func(image.Node, error) bool) {
	index := make(map[string]int, len(fresh))
	for i := range fresh {
		index[fresh[i].Name] = i
	}
	beneath := make([]*volume.Entry, len(fresh))
	taken := volume.Names{}
	for e, err := range s.old.ReadDir(ctx, at) {
		if err != nil {
			yield(image.Node{}, fmt.Errorf("reading the earlier session: %w", err))
			return
		}
		e.Name = taken.Own(e.Name)
		if i, ok := index[e.Name]; ok {
			if e.IsDir() && fresh[i].IsDir() {
				beneath[i] = &e
			}
			continue
		}
		n, err := s.oldEntry(ctx, &e)
		if !yield(n, err) || err != nil {
			return
		}
	}
	for i, n := range fresh {
		if !yield(s.freshNode(n, beneath[i]), nil) {
			return
		}
	}
}

// IDs of the two trees must differ, in their low 32 bits too, which are
// recorded. Those of the volume are made of where their records are: a block and
// one of the 64 slots in it that can hold the beginning of a record, below 1<<31
// for discs of up to 64 GiB.
const (
	oldID   = 1 << 32
	freshID = 1<<33 | 1<<31
)

// freshNode is a node of the new tree, a directory over the one of the volume.
func (s *Source) freshNode(n image.Node, beneath *volume.Entry) image.Node {
	if n.IsDir() {
		inner := n
		at := directory{fresh: &inner}
		if beneath != nil {
			d := beneath.Directory()
			at.old = &d
			if n.Mtime.IsZero() {
				n = s.oldNode(beneath)
				n.ID, n.Name = inner.ID, inner.Name
			}
		}
		n.Handle = at
	}
	n.ID += freshID
	return n
}

// A link is what names of one old file have in common.
type link struct {
	serial uint32
	lba    uint32
}

// id numbers an old file. Its names have the same serial number, or where none
// is recorded the same first block; they get the number of the one met first.
func (s *Source) id(e *volume.Entry) uint64 {
	const slotBits, slotSize = 6, 32
	id := uint64(oldID) + uint64(e.RecordLBA)<<slotBits + uint64(e.RecordOffset)/slotSize
	if e.Nlink < 2 || e.IsDir() || !e.HasSerial && len(e.Sections) == 0 {
		return id
	}
	var key link
	if e.HasSerial {
		key.serial = e.Serial
	}
	if len(e.Sections) > 0 {
		key.lba = e.Sections[0].LBA
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.links[key]; ok {
		return known
	}
	s.links[key] = id
	return id
}

func (s *Source) oldNode(e *volume.Entry) image.Node {
	return image.Node{
		ID: s.id(e), Name: e.Name, Mode: e.Mode, Nlink: e.Nlink, UID: e.UID, GID: e.GID,
		RdevMajor: e.RdevMajor, RdevMinor: e.RdevMinor,
		Atime: e.Atime, Mtime: e.Mtime, Ctime: e.Ctime, Target: e.Target, Xattrs: e.Xattrs,
	}
}

// oldEntry is a node of the volume that nothing new replaces.
func (s *Source) oldEntry(ctx context.Context, e *volume.Entry) (image.Node, error) {
	n := s.oldNode(e)
	switch {
	case e.IsDir():
		d := e.Directory()
		n.Handle = directory{old: &d}
	case e.IsRegular():
		n.Pieces, n.ZF = pieces(e.Sections), e.ZF
		if err := s.digests(ctx, &n, e.ChecksumIndex); err != nil {
			return n, fmt.Errorf("reading the checksums of the earlier session: %w", err)
		}
	}
	return n, nil
}

// digests gives n the checksums that the volume has of it.
func (s *Source) digests(ctx context.Context, n *image.Node, index uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, recorded, err := s.sums.Lookup(ctx, index)
	if err != nil || !recorded {
		return err
	}
	n.OldMD5 = &sum
	sha, recorded, err := s.shas.Lookup(ctx, index)
	if recorded {
		n.OldSHA256 = &sha
	}
	return err
}

func pieces(sections []iso9660.Section) []image.Piece {
	var pieces []image.Piece
	for _, s := range sections {
		pieces = append(pieces, image.Piece{Size: s.Size, Old: true, LBA: s.LBA})
	}
	return pieces
}
