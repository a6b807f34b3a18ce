package tree

import (
	"context"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// BaseCost is the search for what the directories of a base which others recorded
// take when they are recorded in our way. All of them are read for that, which takes
// a while on a disc of a million files. Nobody has to wait for it but who changes
// something.
type BaseCost struct {
	some, all    chan struct{} // closed when so much has been read
	blocks, dirs int64         // valid once all is closed, and err
	err          error
}

// someEntries is after how many entries the search is long.
const someEntries = 2000

// Find searches until it is done or ctx ends. It is called by a goroutine of
// its own, once.
func (c *BaseCost) Find(ctx context.Context, base Base) {
	defer close(c.all)
	c.blocks, c.dirs, c.err = c.find(ctx, base)
}

// NewBaseCost is a search that is to be begun by Find.
func NewBaseCost() *BaseCost {
	return &BaseCost{some: make(chan struct{}), all: make(chan struct{})}
}

// Wait returns an upper bound of the blocks, and the number of directories, when they
// are known.
func (c *BaseCost) Wait(ctx context.Context) (blocks, dirs int64, err error) {
	select {
	case <-c.all:
	case <-ctx.Done():
		return 0, 0, context.Cause(ctx)
	}
	return c.blocks, c.dirs, c.err
}

// WaitSome returns when the search has ended, or has been seen to be long.
func (c *BaseCost) WaitSome(ctx context.Context) (done bool, err error) {
	select {
	case <-c.all: // what is short is done, always
		return true, c.err
	case <-c.some:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (c *BaseCost) find(ctx context.Context, base Base) (blocks, dirs int64, err error) {
	root, _, err := rootOf(ctx, base)
	if err != nil {
		return 0, 0, err
	}
	bytes := dirCost + useCost(attributes(root.Xattrs), 0)
	seen := map[iso9660.Section]bool{}
	var todo []iso9660.Section
	add := func(e *volume.Entry) {
		if len(e.Sections) > 0 && !seen[e.Sections[0]] { // a hostile disc may have loops
			seen[e.Sections[0]] = true
			todo = append(todo, e.Sections[0])
		}
	}
	entries := 0
	for add(&root); len(todo) > 0; dirs++ {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for e, err := range base.ReadDir(ctx, dir) {
			if entries++; entries == someEntries {
				close(c.some)
			}
			switch {
			case ctx.Err() != nil:
				return 0, 0, context.Cause(ctx)
			case err != nil && broken(err):
				continue // no session is recorded as long as it is there
			case err != nil:
				return 0, 0, err
			}
			isDir := isDirMode(e.Mode)
			records := int64(1)
			if isDir {
				records = 3
				add(&e)
			}
			bytes += nameCost(e.Name, e.Target, isDir) + records*useCost(attributes(e.Xattrs), int64(len(e.Sections)))
		}
	}
	return blocksOf(bytes), dirs, nil
}

// unknown is why nothing can be changed while the directories of the base cannot be
// read.
func unknown(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: the directories of the disc cannot be read, so nobody can tell what still fits: %w", ErrIO, err)
}
