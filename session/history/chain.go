package history

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
)

const (
	// otherAlign is what growisofs aligns sessions to, in blocks.
	otherAlign = 16

	// padding is how many blocks may lie between the end that a session records
	// and the next one. mkisofs and xorriso append 150 to what they record.
	padding = 256

	// rootDistance is how many blocks may lie between the beginning of a session
	// and its root directory: descriptors and path tables.
	rootDistance = 4096
)

// chainer collects the sessions of an overwritable medium.
type chainer struct {
	r     iso9660.BlockReader
	limit uint32 // of the medium, in blocks
	head  Session
	found map[uint32]Session // by first block
}

// chain finds the sessions of an overwritable medium.
func chain(ctx context.Context, info *medium.Info, r iso9660.BlockReader) ([]Session, error) {
	c := &chainer{r: r, limit: info.Capacity, found: make(map[uint32]Session)}
	if err := c.head.read(ctx, r); err != nil {
		return nil, err
	}
	if err := c.forward(ctx); err != nil {
		return nil, err
	}
	if err := c.newest(ctx); err != nil {
		return nil, err
	}
	if err := c.backward(ctx); err != nil {
		return nil, err
	}
	c.lost()
	all := c.sessions()
	if err := c.unfinished(ctx, all); err != nil {
		return nil, err
	}
	if c.head.Problem != "" && len(all) == 0 {
		blank, err := isBlank(ctx, info, r)
		if err != nil {
			return nil, err
		}
		if !blank {
			all = append(all, c.head)
		}
	}
	for i := range all {
		all[i].Number = i + 1
	}
	return all, nil
}

// look reads what may be a session at block start. It tells whether there is one.
func (c *chainer) look(ctx context.Context, start uint32) (Session, bool, error) {
	if s, ok := c.found[start]; ok {
		return s, true, nil
	}
	if start%otherAlign != 0 || start == 0 || start > c.limit-min(c.limit, Align) {
		return Session{}, false, nil
	}
	s := Session{Start: start}
	err := s.read(ctx, c.r)
	return s, err == nil && s.Readable, err
}

// add is look, and remembers what it finds.
func (c *chainer) add(ctx context.Context, start uint32) (Session, bool, error) {
	s, ok, err := c.look(ctx, start)
	if ok {
		c.found[start] = s
	}
	return s, ok, err
}

// forward follows the sessions from block 32 on, each of which begins behind the
// end of the one before.
func (c *chainer) forward(ctx context.Context) error {
	for pos, most := uint64(Align), uint64(Align); pos <= most && pos < uint64(c.limit); pos += otherAlign {
		s, ok, err := c.add(ctx, uint32(pos))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		end := uint64(s.End())
		if end <= pos {
			break
		}
		pos = (end+otherAlign-1)/otherAlign*otherAlign - otherAlign
		most = pos + otherAlign + padding
	}
	return nil
}

// newest finds the session that block 16 shows: its root directory is the same.
func (c *chainer) newest(ctx context.Context) error {
	if !c.head.Readable || c.head.Mark != nil {
		return nil // a mark tells
	}
	root := c.head.descriptors
	for _, s := range c.found {
		if s.descriptors == root {
			return nil
		}
	}
	for pos := root &^ (otherAlign - 1); pos > 0 && root-pos < rootDistance; pos -= otherAlign {
		s, ok, err := c.look(ctx, pos)
		if err != nil {
			return err
		}
		if ok && s.descriptors == root {
			c.found[pos] = s
			break
		}
	}
	return nil
}

// backward goes from the newest session to the one before, as long as there is
// something that tells where that is.
func (c *chainer) backward(ctx context.Context) error {
	start, ok := c.newestStart()
	for ok {
		s, found, err := c.add(ctx, start)
		if err != nil || !found {
			return err
		}
		var before uint32
		if s.ours() {
			before = s.Mark.Previous
		} else if before, err = c.taggedBefore(ctx, start); err != nil {
			return err
		}
		start, ok = before, before != 0 && before < start
	}
	return nil
}

// newestStart is where the session that block 16 shows begins, if that is known.
func (c *chainer) newestStart() (uint32, bool) {
	if c.head.Mark != nil {
		return c.head.Mark.Start, true
	}
	for start, s := range c.found {
		if c.head.Readable && s.descriptors == c.head.descriptors {
			return start, true
		}
	}
	return 0, false
}

// taggedBefore looks for a session's checksum tag closely before block start. The
// tag tells where that session begins; 0 is none.
func (c *chainer) taggedBefore(ctx context.Context, start uint32) (uint32, error) {
	const chunk = 32 // blocks
	p := make([]byte, chunk*iso9660.BlockSize)
	for pos := start; pos >= chunk && start-pos < padding; {
		pos -= chunk
		if err := c.r.ReadBlocks(ctx, pos, p); err != nil {
			if blocks.Unreadable(err) {
				return 0, nil
			}
			return 0, err
		}
		for i := chunk - 1; i >= 0; i-- {
			t, err := checksum.ParseTag(p[i*iso9660.BlockSize:][:iso9660.BlockSize])
			if err == nil && t.Kind == checksum.Session && t.Pos == pos+uint32(i) {
				return t.RangeStart, nil
			}
		}
	}
	return 0, nil
}

// lost notes a session that block 16 names and that is not there: the medium, or
// the file that plays it, is cut off, or the drive is wrong about its size.
func (c *chainer) lost() {
	m := c.head.Mark
	if m == nil || m.Start == 0 {
		return
	}
	if _, ok := c.found[m.Start]; ok {
		return
	}
	lost := c.head
	lost.Start, lost.Readable = m.Start, false
	lost.Problem = fmt.Sprintf("the session at block %d, which the disc names as its newest, cannot be read; the drive tells of %d blocks", m.Start, c.limit)
	c.found[m.Start] = lost
	c.head.Readable = false
}

// unfinished notes that a first session of ours was interrupted: block 16, which is written
// when all of it has been read back, was never written. The error is that of the drive.
func (c *chainer) unfinished(ctx context.Context, all []Session) error {
	if c.head.Readable || len(all) != 1 || !all[0].ours() || all[0].Start != Align {
		return nil
	}
	block := make([]byte, iso9660.BlockSize)
	switch err := c.r.ReadBlocks(ctx, iso9660.FirstDescriptor, block); {
	case err == nil:
		if bytes.Count(block, []byte{0}) != len(block) {
			return nil
		}
	case !blocks.Unreadable(err):
		return err
	case bad(err):
		return nil // it was there, and the session is all that is left
	}
	all[0].Cut, all[0].Readable = true, false
	all[0].Problem = "its recording was interrupted before the disc was to show it"
	return nil
}

// sessions lists what was found, oldest first. A session behind the one that block
// 16 shows was not finished.
func (c *chainer) sessions() []Session {
	newest, known := c.newestStart()
	var all []Session
	for start, s := range c.found {
		if !known || start <= newest {
			all = append(all, s)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Start < all[j].Start })
	shown := slices.ContainsFunc(all, func(s Session) bool { return s.descriptors == c.head.descriptors })
	if c.head.Readable && !shown {
		all = append(all, c.head)
	}
	return all
}
