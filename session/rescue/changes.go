package rescue

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"burnfs/session/extent"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// What happened to something. The values are part of the JSON form.
const (
	Added      = "added"      // it is new
	Moved      = "moved"      // it was on the disc under another name, or has one more
	Changed    = "changed"    // its content was changed
	Attributes = "attributes" // owner, mode, times or extended attributes were changed
	Removed    = "removed"    // the name was taken away
)

// Change is one path at which the mount differs from the disc.
type Change struct {
	Path string `json:"path"`
	// PathBytes is Path where that is not UTF-8, which JSON cannot say.
	PathBytes []byte `json:"path_bytes,omitempty"`
	// PlaceUnknown: the path begins with inode-N because only the disc knows the name.
	PlaceUnknown bool   `json:"place_unknown,omitempty"`
	Change       string `json:"change"`
	Type         string `json:"type,omitempty"` // file, directory, symlink, device, fifo, socket
	Ino          uint64 `json:"ino,omitempty"`
	Target       string `json:"target,omitempty"` // of symlinks
	Size         int64  `json:"size"`             // bytes
	// Staged, OnDisc and Holes are how many of them are in staging, on the disc, and zeros
	// that are nowhere.
	Staged int64 `json:"staged"`
	OnDisc int64 `json:"on_disc"`
	Holes  int64 `json:"holes"`
}

// Changes lists everything that is pending, by path.
func Changes(o *stored.Overlay, p *Places) []Change {
	var all []Change
	named := map[uint64]map[string]bool{} // paths that are the overlay's
	for _, n := range o.Names {
		dir, ok := p.Dirs[n.Parent]
		if !ok {
			dir = stored.Nameless(n.Parent)
		}
		full := path.Join(dir, n.Name)
		switch _, known := o.Inodes[n.Parent]; {
		case n.Removed() && !known:
			// Its directory was removed, too.
		case n.Removed():
			all = append(all, Change{Path: full, Change: Removed, PlaceUnknown: p.Unknown(full)})
		default:
			if named[n.Ino] == nil {
				named[n.Ino] = map[string]bool{}
			}
			named[n.Ino][full] = true
		}
	}
	for ino, paths := range p.Of {
		n := o.Inodes[ino]
		for _, at := range paths {
			c := Change{
				Path: at, Ino: ino, Type: typeName(n.Mode), Target: n.Target, Size: stored.Size(n),
				PlaceUnknown: p.Unknown(at),
			}
			if n.Content != nil {
				c.Staged, c.OnDisc = n.Content.StagedBytes(), diskBytes(n)
				c.Holes = c.Size - c.Staged - c.OnDisc
			}
			switch isNew := named[ino][at]; {
			case isNew && (n.Base.Size > 0 || c.OnDisc > 0 || n.Checksum != 0):
				c.Change = Moved
			case isNew:
				c.Change = Added
			case n.Content != nil && n.DataSeq > 0:
				c.Change = Changed
			default:
				c.Change = Attributes
			}
			all = append(all, c)
		}
	}
	for i := range all {
		if !utf8.ValidString(all[i].Path) {
			all[i].PathBytes = []byte(all[i].Path)
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Change, b.Change)) })
	return all
}

// Unknown tells whether a path begins with a name that Locate made, because only the disc
// knows the right one.
func (p *Places) Unknown(at string) bool {
	first, _, _ := strings.Cut(at, "/")
	return p.made[first]
}

func diskBytes(n *tree.StoredInode) (total int64) {
	for e := range n.Content.All() {
		if e.Kind == extent.OnDisc || e.Kind == extent.Packed {
			total += e.Len
		}
	}
	return total
}

func typeName(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "symlink"
	case unix.S_IFBLK, unix.S_IFCHR:
		return "device"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "file"
}
