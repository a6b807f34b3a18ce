package tree

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Access control lists travel as these attributes. A list and the permission
// bits of its file say the same in part, and both ways of changing one must show
// in the other (acl(5), "CORRESPONDENCE BETWEEN ACL ENTRIES AND FILE PERMISSION
// BITS"):
//
//	entry        permission bits
//	user::       owner
//	mask::       group, if there is a mask
//	group::      group, if there is none
//	other::      others
//
// A list that says no more than the bits do is none, and is not kept. Programs
// such as cp -a set one on each file that they copy.
const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
)

// The attribute's value, all numbers little endian
// (include/uapi/linux/posix_acl_xattr.h):
//
//	version  4  2
//	entries, each:  tag 2, permissions 2, id 4
const (
	aclVersion    = 2
	aclHeaderSize = 4
	aclEntrySize  = 8

	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

// aclBits is where the permission bits of an entry lie in a mode, and whether
// the entry is there.
type aclBits struct {
	userObj, groupObj, mask, other int // offset of the entry in the value, 0 if absent
	named                          bool
}

// parseACL finds the entries that correspond to permission bits. A value that
// Linux would refuse is ErrInvalid.
func parseACL(value []byte) (aclBits, error) {
	var b aclBits
	if len(value) < aclHeaderSize || (len(value)-aclHeaderSize)%aclEntrySize != 0 ||
		binary.LittleEndian.Uint32(value) != aclVersion {
		return b, ErrInvalid
	}
	for at := aclHeaderSize; at < len(value); at += aclEntrySize {
		slot := &b.userObj
		switch binary.LittleEndian.Uint16(value[at:]) {
		case aclUserObj:
		case aclGroupObj:
			slot = &b.groupObj
		case aclMask:
			slot = &b.mask
		case aclOther:
			slot = &b.other
		case aclUser, aclGroup:
			b.named = true
			continue
		default:
			return b, ErrInvalid
		}
		if *slot != 0 || binary.LittleEndian.Uint16(value[at+2:]) > 7 {
			return b, ErrInvalid
		}
		*slot = at
	}
	if len(value) > aclHeaderSize && (b.userObj == 0 || b.groupObj == 0 || b.other == 0 || b.named && b.mask == 0) {
		return b, ErrInvalid
	}
	return b, nil
}

// groupClass is the entry that the group bits of a mode stand for.
func (b aclBits) groupClass() int {
	if b.mask != 0 {
		return b.mask
	}
	return b.groupObj
}

// setACL decides what an attribute that is an access control list does: the mode
// that the file has afterwards, and whether the list is to be kept. The caller
// holds n.mu.
func setACL(n *Node, name string, value []byte) (mode uint32, keep bool, err error) {
	b, err := parseACL(value)
	switch {
	case err != nil:
		return 0, false, err
	case name == aclDefault && n.dir == nil, n.kind == unix.S_IFLNK:
		return 0, false, ErrNotSupported
	case len(value) == aclHeaderSize: // an empty list takes the old one away
		return n.mode, false, nil
	case name == aclDefault:
		return n.mode, true, nil
	}
	bits := func(at int) uint32 { return uint32(binary.LittleEndian.Uint16(value[at+2:])) }
	mode = n.mode&^0o777 | bits(b.userObj)<<6 | bits(b.groupClass())<<3 | bits(b.other)
	return mode, b.named || b.mask != 0, nil
}

// chmodACL returns the access list that belongs to a file after its mode has been
// changed. A list that cannot be read stays as it is.
func chmodACL(value []byte, mode uint32) []byte {
	b, err := parseACL(value)
	if err != nil || b.userObj == 0 {
		return value
	}
	next := append([]byte(nil), value...)
	set := func(at int, perm uint32) { binary.LittleEndian.PutUint16(next[at+2:], uint16(perm&7)) }
	set(b.userObj, mode>>6)
	set(b.groupClass(), mode>>3)
	set(b.other, mode)
	return next
}

// inherit gives a new inode the permissions that it has in dir (acl(5), "OBJECT
// CREATION AND DEFAULT ACLs"): what the caller asked for, less its umask; or, if
// dir has a default list, what both of them grant. A directory gets the default
// list, too. The caller has n for itself and does not hold dir.mu.
func inherit(dir, n *Node, umask uint32) error {
	dir.mu.RLock()
	list, ok := dir.xattrs[aclDefault]
	dir.mu.RUnlock()
	b, err := parseACL(list)
	switch {
	case n.kind == unix.S_IFLNK:
		return nil
	case !ok || err != nil || b.userObj == 0:
		n.mode &^= umask & 0o777
		return nil
	}
	own := append([]byte(nil), list...)
	for shift, at := range map[int]int{6: b.userObj, 3: b.groupClass(), 0: b.other} {
		granted := uint32(binary.LittleEndian.Uint16(own[at+2:])) & (n.mode >> shift)
		binary.LittleEndian.PutUint16(own[at+2:], uint16(granted))
		n.mode = n.mode&^(7<<shift) | granted<<shift
	}
	if b.named || b.mask != 0 {
		if err := fits(n, aclAccess, own); err != nil {
			return err
		}
		n.xattrs = n.withXattr(aclAccess, own)
	}
	if n.dir == nil {
		return nil
	}
	if err := fits(n, aclDefault, list); err != nil {
		return err
	}
	n.xattrs = n.withXattr(aclDefault, list)
	return nil
}
