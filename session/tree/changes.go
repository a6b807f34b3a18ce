package tree

import "sync"

// changes is what staging does not have yet.
type changes struct {
	many chan struct{} // holds one element when there are manyChanges

	mu    sync.Mutex
	nodes map[*Node]struct{}
	names map[nameKey]struct{}
}

// manyChanges is how many changed inodes, or names, are flushed without waiting for
// more: names cannot change while a flush copies them.
const manyChanges = 1 << 13

// nameKey names an entry of the overlay.
type nameKey struct {
	dir  uint64
	name string
}

func (c *changes) reset() {
	c.nodes = map[*Node]struct{}{}
	c.names = map[nameKey]struct{}{}
}

func (c *changes) node(n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[n] = struct{}{}
	c.count(len(c.nodes))
}

// count wakes the flusher. The caller holds c.mu.
func (c *changes) count(n int) {
	if n != manyChanges {
		return
	}
	select {
	case c.many <- struct{}{}:
	default:
	}
}

// size is how many inodes and names changed.
func (c *changes) size() (nodes, names int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.nodes), len(c.names)
}

func (c *changes) name(dir uint64, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[nameKey{dir, name}] = struct{}{}
	c.count(len(c.names))
}

// take hands the sets over and begins new ones.
func (c *changes) take() (map[*Node]struct{}, map[nameKey]struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes, names := c.nodes, c.names
	c.reset()
	return nodes, names
}

// putBack returns sets that could not be made durable.
func (c *changes) putBack(nodes map[*Node]struct{}, names map[nameKey]struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range nodes {
		c.nodes[n] = struct{}{}
	}
	for k := range names {
		c.names[k] = struct{}{}
	}
}

func (c *changes) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.nodes) == 0 && len(c.names) == 0
}
