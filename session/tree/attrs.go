package tree

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// SetAttr changes attributes and returns the new ones. A change of size needs
// a regular file.
func (t *Tree) SetAttr(ctx context.Context, n *Node, s SetAttr) (Attr, error) {
	done, err := t.change(ctx)
	if err != nil {
		return Attr{}, err
	}
	defer done()
	if n.dir != nil {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := t.now().UnixNano()
	if s.Size != nil {
		switch {
		case n.dir != nil:
			return Attr{}, ErrIsDir
		case !n.isRegular() || *s.Size < 0:
			return Attr{}, ErrInvalid
		}
		if err := t.resize(n, *s.Size, now); err != nil {
			return Attr{}, err
		}
	}
	if s.Mode != nil {
		n.mode = n.kind | *s.Mode&^unix.S_IFMT
		if acl, ok := n.xattrs[aclAccess]; ok {
			n.xattrs = n.withXattr(aclAccess, chmodACL(acl, n.mode))
		}
	}
	if s.UID != nil {
		n.uid = *s.UID
	}
	if s.GID != nil {
		n.gid = *s.GID
	}
	if s.Atime != nil {
		n.atime = nanoseconds(*s.Atime)
	}
	if s.Mtime != nil {
		n.mtime = nanoseconds(*s.Mtime)
	}
	n.ctime = now
	t.touch(n)
	return n.attrLocked(), nil
}

// The times that a directory record can hold (ECMA-119 9.1.5).
var (
	firstTime = time.Date(1900, time.January, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2155, time.December, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// nanoseconds since 1970 of t, or of the nearest time that can be recorded, as
// utimensat(2) has it: what stat(2) shows must not change with a commit. No
// time at all is 1970.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(firstTime):
		t = firstTime
	case t.After(lastTime):
		t = lastTime
	}
	return t.UnixNano()
}

// checkXattrName refuses names outside the namespaces of xattr(7), as every
// local file system does.
func checkXattrName(name string) error {
	for _, space := range []string{"user.", "trusted.", "security."} {
		if strings.HasPrefix(name, space) {
			if len(name) == len(space) || len(name) > NameMax {
				return ErrInvalid
			}
			return nil
		}
	}
	if name == aclAccess || name == aclDefault {
		return nil
	}
	return ErrNotSupported
}

// Xattr returns the value of an extended attribute.
func (t *Tree) Xattr(_ context.Context, n *Node, name string) ([]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	v, ok := n.xattrs[name]
	if !ok {
		// A disc may bring names of any kind, so they are looked for first.
		if err := checkXattrName(name); err != nil {
			return nil, err
		}
		return nil, ErrNoXattr
	}
	return v, nil
}

// ListXattr returns the names of the extended attributes, sorted.
func (t *Tree) ListXattr(_ context.Context, n *Node) ([]string, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	names := make([]string, 0, len(n.xattrs))
	for name := range n.xattrs {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// XattrDropSetGID is a flag of SetXattr beside those of setxattr(2): the mode loses
// its set-group-ID bit, as when who sets an access list is not of the file's group.
const XattrDropSetGID = 1 << 31

// SetXattr sets an extended attribute; flags are XATTR_CREATE or
// XATTR_REPLACE of setxattr(2), and XattrDropSetGID.
func (t *Tree) SetXattr(ctx context.Context, n *Node, name string, value []byte, flags uint32) error {
	if err := checkXattrName(name); err != nil {
		return err
	}
	done, err := t.change(ctx)
	if err != nil {
		return err
	}
	defer done()
	n.mu.Lock()
	defer n.mu.Unlock()
	mode, keep := n.mode, true
	if name == aclAccess || name == aclDefault {
		if mode, keep, err = setACL(n, name, value); err != nil {
			return err
		}
	}
	if flags&XattrDropSetGID != 0 {
		mode &^= unix.S_ISGID
	}
	_, exists := n.xattrs[name]
	switch {
	case exists && flags&unix.XATTR_CREATE != 0:
		return ErrExist
	case !exists && flags&unix.XATTR_REPLACE != 0:
		return ErrNoXattr
	}
	if !keep {
		n.mode = mode
		t.dropXattr(n, name)
		return nil
	}
	if err := fits(n, name, value); err != nil {
		return err
	}
	next := n.withXattr(name, append([]byte(nil), value...))
	if n.nlink > 0 { // without a name it takes nothing
		booked, err := t.space.admit(n.bill(n.cost(next, n.content, t.delta), n.records()), 0)
		if err != nil {
			return err
		}
		defer booked()
	}
	n.mode, n.xattrs = mode, next
	t.rebook(n)
	n.ctime = t.now().UnixNano()
	t.touch(n)
	return nil
}

// RemoveXattr removes an extended attribute.
func (t *Tree) RemoveXattr(ctx context.Context, n *Node, name string) error {
	done, err := t.change(ctx)
	if err != nil {
		return err
	}
	defer done()
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.xattrs[name]; !ok {
		if err := checkXattrName(name); err != nil {
			return err
		}
		return ErrNoXattr
	}
	t.dropXattr(n, name)
	return nil
}

// withXattr is n's attributes with one set, in a new map: a frozen view may hold
// the old one. The caller holds n.mu.
func (n *Node) withXattr(name string, value []byte) map[string][]byte {
	next := make(map[string][]byte, len(n.xattrs)+1)
	for k, v := range n.xattrs {
		next[k] = v
	}
	next[name] = value
	return next
}

// dropXattr takes an attribute away if it is there. The caller holds n.mu.
func (t *Tree) dropXattr(n *Node, name string) {
	if _, ok := n.xattrs[name]; ok {
		next := make(map[string][]byte, len(n.xattrs))
		for k, v := range n.xattrs {
			if k != name {
				next[k] = v
			}
		}
		n.xattrs = next
		t.rebook(n)
	}
	n.ctime = t.now().UnixNano()
	t.touch(n)
}

// fits refuses attributes that no directory record could hold, instead of
// leaving that to the commit. The caller holds n.mu.
func fits(n *Node, name string, value []byte) error {
	all := []aaip.Attr{{Name: name, Value: value}}
	total := len(name) + len(value)
	for k, v := range n.xattrs {
		if k != name {
			all = append(all, aaip.Attr{Name: k, Value: v})
			total += len(k) + len(v)
		}
	}
	room := all
	if n.target != "" {
		// The target shares the room: three bytes for one at most, and the
		// heads of its entries.
		room = append(room, aaip.Attr{Value: make([]byte, 3*len(n.target)+512)})
	}
	if total > XattrMax || !image.XattrsFit(room) {
		return fmt.Errorf("%w: %d bytes in %d attributes", ErrXattrTooBig, total, len(all))
	}
	return nil
}
