package aaip

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// An entry of a recorded access control list is a byte, followed by a qualifier
// if its bit 3 says so:
//
//	bits 0 to 2  execute, write, read
//	bit  3       a qualifier follows
//	bits 4 to 7  type
//
// A qualifier is a row of records of up to 127 bytes, each with its length in
// bits 0 to 6 of its first byte and, in bit 7, whether another one follows. For
// users and groups it is their number, most significant byte first.
const (
	permissionMask = 7
	hasQualifier   = 1 << 3

	typeUserObj    = 1
	typeGroupObj   = 3
	typeMask       = 5
	typeOther      = 6
	typeSwitchMark = 8 // from here on the list is the default one if execute is set
	typeUser       = 10
	typeGroup      = 12
	typeFuture     = 15

	maxQualifier      = 127
	qualifierContinue = 1 << 7
)

// Linux gives access control lists this form (include/uapi/linux/posix_acl_xattr.h),
// all numbers little endian:
//
//	version  4  2
//	entries, each:  tag 2, permissions 2, id 4 (all ones where it has no meaning)
const (
	linuxVersion    = 2
	linuxHeaderSize = 4
	linuxEntrySize  = 8
	linuxNoID       = ^uint32(0)

	linuxUserObj  = 0x01
	linuxUser     = 0x02
	linuxGroupObj = 0x04
	linuxGroup    = 0x08
	linuxMask     = 0x10
	linuxOther    = 0x20
)

// maxACLEntries bounds what one list can make of a broken disc.
const maxACLEntries = 8191

// An aclEntry is an entry in the terms of Linux.
type aclEntry struct {
	tag, permissions uint16
	id               uint32
}

var recordedTypes = map[uint16]byte{
	linuxUserObj: typeUserObj, linuxUser: typeUser, linuxGroupObj: typeGroupObj,
	linuxGroup: typeGroup, linuxMask: typeMask, linuxOther: typeOther,
}

var linuxTags = map[byte]uint16{
	typeUserObj: linuxUserObj, typeUser: linuxUser, typeGroupObj: linuxGroupObj,
	typeGroup: linuxGroup, typeMask: linuxMask, typeOther: linuxOther,
}

// validACL tells whether value is a list that the recorded form can express.
func validACL(value []byte) bool {
	if len(value) < linuxHeaderSize || (len(value)-linuxHeaderSize)%linuxEntrySize != 0 ||
		binary.LittleEndian.Uint32(value) != linuxVersion {
		return false
	}
	for entries := value[linuxHeaderSize:]; len(entries) > 0; entries = entries[linuxEntrySize:] {
		tag, permissions := binary.LittleEndian.Uint16(entries), binary.LittleEndian.Uint16(entries[2:])
		if _, known := recordedTypes[tag]; !known || permissions > permissionMask {
			return false
		}
	}
	return true
}

// encodeACLs translates lists that validACL accepts; either may be nil.
func encodeACLs(access, initial []byte) []byte {
	encoded := appendACL(nil, access)
	if initial != nil {
		encoded = append(encoded, typeSwitchMark<<4|1)
		encoded = appendACL(encoded, initial)
	}
	return encoded
}

func appendACL(dst, list []byte) []byte {
	for entries := list[min(linuxHeaderSize, len(list)):]; len(entries) > 0; entries = entries[linuxEntrySize:] {
		tag := binary.LittleEndian.Uint16(entries)
		head := recordedTypes[tag]<<4 | byte(binary.LittleEndian.Uint16(entries[2:]))
		if tag != linuxUser && tag != linuxGroup {
			dst = append(dst, head)
			continue
		}
		id := binary.BigEndian.AppendUint32(nil, binary.LittleEndian.Uint32(entries[4:]))
		for len(id) > 1 && id[0] == 0 {
			id = id[1:]
		}
		dst = append(dst, head|hasQualifier, byte(len(id)))
		dst = append(dst, id...)
	}
	return dst
}

// withACLs appends the attributes that the recorded lists stand for. A list that
// says no more than the mode of the file does is none for Linux, and left out.
// libisofs may have recorded the same lists as plain attributes too; those give way.
func withACLs(attrs []Attr, recorded []byte) []Attr {
	access, initial, ok := decodeACLs(recorded)
	if !ok || len(access)+len(initial) == 0 {
		return attrs
	}
	attrs = slices.DeleteFunc(attrs, func(a Attr) bool {
		return a.Name == NameACLAccess || a.Name == NameACLDefault
	})
	if len(access) > 0 && !isMinimal(access) {
		attrs = append(attrs, Attr{NameACLAccess, linuxACL(access)})
	}
	if len(initial) > 0 {
		attrs = append(attrs, Attr{NameACLDefault, linuxACL(initial)})
	}
	return attrs
}

func decodeACLs(recorded []byte) (access, initial []aclEntry, ok bool) {
	list := &access
	for len(recorded) > 0 {
		head := recorded[0]
		recorded = recorded[1:]
		var qualifier []byte
		if head&hasQualifier != 0 {
			if qualifier, recorded, ok = cutQualifier(recorded); !ok {
				return nil, nil, false
			}
		}
		entry := aclEntry{permissions: uint16(head & permissionMask), id: linuxNoID}
		switch head >> 4 {
		case typeFuture:
			return nil, nil, false
		case typeSwitchMark:
			list = &access
			if head&1 != 0 {
				list = &initial
			}
			continue
		case typeUser, typeGroup:
			if len(qualifier) == 0 || len(qualifier) > 4 {
				return nil, nil, false
			}
			entry.id = 0
			for _, c := range qualifier {
				entry.id = entry.id<<8 | uint32(c)
			}
		}
		tag, known := linuxTags[head>>4]
		if !known {
			continue
		}
		if len(*list) == maxACLEntries {
			return nil, nil, false
		}
		entry.tag = tag
		*list = append(*list, entry)
	}
	return access, initial, true
}

func cutQualifier(b []byte) (qualifier, rest []byte, ok bool) {
	for len(b) > 0 {
		head, length := b[0], int(b[0]&maxQualifier)
		b = b[1:]
		if length > len(b) {
			return nil, nil, false
		}
		qualifier = append(qualifier, b[:length]...)
		b = b[length:]
		if head&qualifierContinue == 0 {
			return qualifier, b, true
		}
	}
	return nil, nil, false
}

func isMinimal(list []aclEntry) bool {
	for _, e := range list {
		if e.tag != linuxUserObj && e.tag != linuxGroupObj && e.tag != linuxOther {
			return false
		}
	}
	return true
}

// linuxACL encodes list in the order that Linux demands, which is that of the
// tags' values and then of the ids.
func linuxACL(list []aclEntry) []byte {
	slices.SortStableFunc(list, func(a, b aclEntry) int {
		return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.id, b.id))
	})
	value := binary.LittleEndian.AppendUint32(nil, linuxVersion)
	for _, e := range list {
		value = binary.LittleEndian.AppendUint16(value, e.tag)
		value = binary.LittleEndian.AppendUint16(value, e.permissions)
		value = binary.LittleEndian.AppendUint32(value, e.id)
	}
	return value
}
