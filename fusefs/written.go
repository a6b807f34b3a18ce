package fusefs

import "burnfs/session/tree"

// Written lists the files that programs have open, or mapped, for writing: paths
// from the top of the mount on, by inode number. The kernel may keep changed pages
// of mappings of these, and of no others: it hands them over at the latest before
// it releases the handle. Files that have lost their names are not among them.
func (s *Server) Written() map[uint64]string {
	nodes := make(map[*tree.Node]bool)
	s.fs.mu.Lock()
	for h := range s.fs.files {
		if h.write {
			nodes[h.n] = true
		}
	}
	s.fs.mu.Unlock()
	paths := make(map[uint64]string)
	for n, path := range s.fs.tree.Paths(nodes) {
		paths[n.Ino()] = path
	}
	return paths
}
