package hosttree

import (
	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
)

// Ownership is what happens to owners and permissions.
type Ownership int

const (
	// AsIs records them as they are (mkisofs -R).
	AsIs Ownership = iota
	// Rational makes everything root's, readable for all, executable for all
	// where it is for anybody, and writable for nobody (mkisofs -r).
	Rational
)

// adjust makes of what the computer says what is to be recorded.
func (o *Options) adjust(n *image.Node) {
	if o.Ownership == Rational {
		n.UID, n.GID = 0, 0
		n.Mode = rational(n.Mode)
	}
	if !o.Epoch.IsZero() && !n.Mtime.IsZero() {
		if n.Mtime.After(o.Epoch) {
			n.Mtime = o.Epoch
		}
		n.Atime, n.Ctime = n.Mtime, n.Mtime
	}
}

func rational(mode uint32) uint32 {
	permissions := uint32(0o444)
	if mode&0o111 != 0 {
		permissions |= 0o111
	}
	return mode&unix.S_IFMT | permissions
}

// kind names, in the plural, files that are neither regular nor directories.
func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFLNK:
		return "symbolic links"
	case unix.S_IFIFO:
		return "named pipes"
	case unix.S_IFSOCK:
		return "sockets"
	default:
		return "devices"
	}
}
