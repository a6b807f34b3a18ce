package fusefs

import (
	"sync"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

// nodes gives numbers to the inodes that the kernel knows. One number stands for
// one inode until the kernel has given back all references to it.
type nodes struct {
	mu    sync.RWMutex
	slots []slot // by number
	ids   map[*tree.Node]fuse.NodeID
	free  []fuse.NodeID
	// generation makes a number that is used again another inode.
	generation uint64
}

// slot is an inode that the kernel knows.
type slot struct {
	n          *tree.Node
	refs       uint64
	generation uint64
}

func newNodes(root *tree.Node) *nodes {
	return &nodes{
		slots: []slot{{}, {n: root, refs: 1}}, // fuse.RootID
		ids:   map[*tree.Node]fuse.NodeID{root: fuse.RootID},
	}
}

// at returns the inode with the number id, nil if there is none.
func (s *nodes) at(id fuse.NodeID) *tree.Node {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if id >= fuse.NodeID(len(s.slots)) {
		return nil
	}
	return s.slots[id].n
}

// id returns the number of n, if the kernel knows it.
func (s *nodes) id(n *tree.Node) (fuse.NodeID, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.ids[n]
	return id, ok
}

// refer counts one more reference to n.
func (s *nodes) refer(n *tree.Node) (id fuse.NodeID, generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.ids[n]; ok {
		s.slots[id].refs++
		return id, s.slots[id].generation
	}
	if last := len(s.free) - 1; last >= 0 {
		id, s.free = s.free[last], s.free[:last]
		s.generation++
	} else {
		id = fuse.NodeID(len(s.slots))
		s.slots = append(s.slots, slot{})
	}
	s.slots[id] = slot{n: n, refs: 1, generation: s.generation}
	s.ids[n] = id
	return id, s.generation
}

// forget takes count references back.
func (s *nodes) forget(id fuse.NodeID, count uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id >= fuse.NodeID(len(s.slots)) || s.slots[id].n == nil {
		return
	}
	e := &s.slots[id]
	if e.refs -= min(count, e.refs); e.refs == 0 {
		delete(s.ids, e.n)
		*e = slot{}
		s.free = append(s.free, id)
	}
}

// handles gives numbers to open files and directories.
type handles struct {
	mu    sync.RWMutex
	slots []any // by number; *file or *list
	free  []fuse.HandleID
}

func (s *handles) at(id fuse.HandleID) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if id >= fuse.HandleID(len(s.slots)) {
		return nil
	}
	return s.slots[id]
}

func (s *handles) add(h any) fuse.HandleID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; last >= 0 {
		id := s.free[last]
		s.free = s.free[:last]
		s.slots[id] = h
		return id
	}
	s.slots = append(s.slots, h)
	return fuse.HandleID(len(s.slots) - 1)
}

// remove ends the handle id and returns it, nil if there is none.
func (s *handles) remove(id fuse.HandleID) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id >= fuse.HandleID(len(s.slots)) || s.slots[id] == nil {
		return nil
	}
	h := s.slots[id]
	s.slots[id] = nil
	s.free = append(s.free, id)
	return h
}
