package posix

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	accessACL  = "system.posix_acl_access"
	defaultACL = "system.posix_acl_default"
)

// Tags of entries (include/uapi/linux/posix_acl.h), besides read, write, execute.
const (
	tagUserObj = 1 << iota
	tagUser
	tagGroupObj
	tagGroup
	tagMask
	tagOther
)

type aclEntry struct {
	tag, perm uint16
	id        uint32
}

// acl encodes a list as the extended attribute has it
// (include/uapi/linux/posix_acl_xattr.h).
func acl(entries ...aclEntry) string {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return string(b)
}

const noID = 1<<32 - 1

// sample lets user 1002 read and write, but for a mask.
func sampleACL(mask uint16) string {
	return acl(aclEntry{tagUserObj, 6, noID}, aclEntry{tagUser, 6, other}, aclEntry{tagGroupObj, 4, noID}, aclEntry{tagGroup, 6, shared},
		aclEntry{tagMask, mask, noID}, aclEntry{tagOther, 0, noID})
}

// showACL notes a list as text.
func (p *place) showACL(name, attr string) {
	b := make([]byte, 4096)
	n, err := unix.Lgetxattr(p.at(name), attr, b)
	var list []string
	for e := b[min(4, max(n, 0)):max(n, 0)]; len(e) >= 8; e = e[8:] {
		list = append(list, fmt.Sprintf("%d:%d:%o", binary.LittleEndian.Uint16(e), int32(binary.LittleEndian.Uint32(e[4:])), binary.LittleEndian.Uint16(e[2:])))
	}
	p.note("%s of %s = %s %s", strings.TrimPrefix(attr, "system.posix_acl_"), name, result(err), strings.Join(list, " "))
}

func aclScripts() []script {
	return []script{
		{
			name: "acls", reason: "lists are kept and given back, and agree with the mode",
			prepare: []func(*place){func(p *place) {
				p.owned("f", owner, ownerGroup, 0o640)
				p.dir("d", 0o755)
			}, func(p *place) {
				p.must(unix.Setxattr(p.at("f"), accessACL, []byte(sampleACL(6)), 0))
				p.must(unix.Setxattr(p.at("d"), defaultACL, []byte(sampleACL(7)), 0))
			}},
			act: func(p *place) {
				p.stat("f", "d")
				p.showACL("f", accessACL)
				p.showACL("d", defaultACL)
				p.showACL("d", accessACL)
				p.chmod("f", 0o604)
				p.showACL("f", accessACL)
				p.stat("f")
				p.chmod("f", 0o770)
				p.showACL("f", accessACL)
				p.setxattr("f", accessACL, sampleACL(4), 0)
				p.stat("f")
				p.commit()
				p.showACL("f", accessACL)
				p.showACL("d", defaultACL)
				p.listxattr("f", "d")
				p.setxattr("f", accessACL, acl(aclEntry{tagUserObj, 7, noID}, aclEntry{tagGroupObj, 5, noID}, aclEntry{tagOther, 1, noID}), 0)
				p.stat("f")
				p.showACL("f", accessACL)
				p.setxattr("f", defaultACL, sampleACL(7), 0)
				p.setxattr("f", accessACL, "nonsense", 0)
				p.setxattr("f", accessACL, acl(aclEntry{tagUser, 6, 5}), 0)
				p.removexattr("d", defaultACL)
				p.showACL("d", defaultACL)
				p.asOther(func() { p.setxattr("f", accessACL, sampleACL(7), 0) })
				p.asOwner(func() { p.setxattr("f", accessACL, sampleACL(2), 0) })
				p.showACL("f", accessACL)
				p.removexattr("f", accessACL)
				p.stat("f")
			},
		},
		{
			name: "acls-decide", reason: "who is named in a list may what it says, and files inherit lists",
			prepare: []func(*place){func(p *place) {
				p.owned("f", owner, ownerGroup, 0o600)
				p.must(unix.Setxattr(p.at("f"), accessACL, []byte(sampleACL(6)), 0))
				p.dir("d", 0o777)
				p.must(unix.Setxattr(p.at("d"), defaultACL, []byte(sampleACL(7)), 0))
			}},
			act: func(p *place) {
				p.asOther(func() { p.access("f", unix.R_OK) })
				p.as(other, shared, nil, func() { p.access("f", unix.R_OK) })
				p.file("d/f", "x")
				p.showACL("d/f", accessACL)
				p.mkdir("d/d", 0o777)
				p.showACL("d/d", defaultACL)
			},
		},
	}
}
