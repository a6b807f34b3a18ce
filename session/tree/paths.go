package tree

import (
	"slices"
	"strings"
)

// Paths gives each of nodes that has a name one of its paths from the root on,
// without a leading slash. It looks only at directories that were looked at before:
// who has a file open has come by one of them.
func (t *Tree) Paths(nodes map[*Node]bool) map[*Node]string {
	found := make(map[*Node]string)
	if len(nodes) == 0 {
		return found
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, dir := range t.nodes {
		if dir.dir == nil || dir.dir.removed {
			continue
		}
		above, known := "", false // found out at most once: that scans the directories above
		for name, n := range dir.dir.entries {
			if !nodes[n] || found[n] != "" {
				continue
			}
			if !known {
				if above, known = t.pathOfDir(dir); !known {
					break
				}
			}
			found[n] = above + name
		}
		if len(found) == len(nodes) {
			break
		}
	}
	return found
}

// pathOfDir is "" for the root, else it ends with a slash. The caller holds t.mu.
func (t *Tree) pathOfDir(dir *Node) (string, bool) {
	var parts []string
	for dir != t.root {
		key, ok := t.nameOf(dir)
		if !ok {
			return "", false
		}
		parts = append(parts, key.name+"/")
		dir = t.nodes[key.dir]
	}
	slices.Reverse(parts)
	return strings.Join(parts, ""), true
}
