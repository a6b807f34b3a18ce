package soak

import (
	"fmt"
	"strings"
)

// Kind says what an operation does. Each of them is one change for burnfs, or
// none: so a tree that was cut off in time is a tree after some operation.
type Kind string

// Kinds of operations.
const (
	Create      Kind = "create"      // open(2) with O_CREAT|O_EXCL
	Mkdir       Kind = "mkdir"       //
	Symlink     Kind = "symlink"     // To is the target
	Mknod       Kind = "mknod"       // Mode with type, Dev
	Link        Kind = "link"        // Path as To
	Rename      Kind = "rename"      // Path to To
	Unlink      Kind = "unlink"      //
	Rmdir       Kind = "rmdir"       //
	Write       Kind = "write"       // Len bytes at Off
	Append      Kind = "append"      // O_APPEND
	Truncate    Kind = "truncate"    // to Len
	OpenTrunc   Kind = "otrunc"      // open(2) with O_TRUNC
	MapWrite    Kind = "mapwrite"    // through a shared mapping of one page
	Allocate    Kind = "fallocate"   // Mode, Off, Len
	CopyRange   Kind = "copyrange"   // Len bytes from Off of Path to Off2 of To
	Chmod       Kind = "chmod"       //
	Chown       Kind = "chown"       // of the link itself
	Utimens     Kind = "utimens"     // Times
	SetXattr    Kind = "setxattr"    // Attr, Len bytes
	RemoveXattr Kind = "removexattr" //
	SetACL      Kind = "setacl"      // an access list made of Data
	RemoveACL   Kind = "removeacl"   //
	Open        Kind = "open"        // as handle Handle
	HWrite      Kind = "hwrite"      // through a handle: Write
	HTruncate   Kind = "htruncate"   //
	HRead       Kind = "hread"       // the whole file
	HSync       Kind = "hsync"       //
	Close       Kind = "close"       //
	Fsync       Kind = "fsync"       // of a file or directory
	Read        Kind = "read"        // the whole file
	List        Kind = "list"        // names and inode types of a directory
	Stat        Kind = "stat"        //
)

// Op is one operation. Paths are relative to the root of the tree and raw bytes.
type Op struct {
	Order int // in the journal

	Actor, Index int // the Index-th operation of this actor's subtree
	Other        int // the actor whose subtree To is in, for moves between two; -1
	OtherIndex   int

	Kind      Kind
	Path, To  string
	Off, Off2 int64
	Len       int64
	Data      uint64 // seed of the bytes
	Mode      uint32
	Dev       uint64
	UID, GID  int
	Times     [2]int64 // atime, mtime in nanoseconds since 1970
	Attr      string
	Handle    int
}

// touches tells whether the operation is one of the subtree of actor a, and
// which.
func (o *Op) touches(a int) (index int, ok bool) {
	switch a {
	case o.Actor:
		return o.Index, true
	case o.Other:
		return o.OtherIndex, true
	}
	return 0, false
}

// durable tells whether an operation with this result makes all before it
// durable.
func (o *Op) durable(result string) bool {
	switch o.Kind {
	case Fsync, HSync:
		return result == ""
	case MapWrite:
		return o.Mode != 0 && result != nothingMapped && !isErrno(result)
	}
	return false
}

// looks tells whether the operation changes nothing.
func (o *Op) looks() bool {
	switch o.Kind {
	case Read, HRead, List, Stat, Fsync, HSync:
		return true
	}
	return false
}

func (o *Op) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d actor %d #%d", o.Order, o.Actor, o.Index)
	if o.Other >= 0 {
		fmt.Fprintf(&b, " with actor %d #%d", o.Other, o.OtherIndex)
	}
	fmt.Fprintf(&b, " %s", o.Kind)
	if o.Path != "" {
		fmt.Fprintf(&b, " %q", o.Path)
	}
	if o.To != "" {
		fmt.Fprintf(&b, " to %q", o.To)
	}
	switch o.Kind {
	case Write, Append, MapWrite, HWrite, Allocate, CopyRange, Truncate, HTruncate:
		fmt.Fprintf(&b, " off %d len %d", o.Off, o.Len)
		if o.Kind == CopyRange {
			fmt.Fprintf(&b, " to off %d", o.Off2)
		}
	case Chown:
		fmt.Fprintf(&b, " %d:%d", o.UID, o.GID)
	case Utimens:
		fmt.Fprintf(&b, " %d %d", o.Times[0], o.Times[1])
	case SetXattr, RemoveXattr:
		fmt.Fprintf(&b, " %s len %d", o.Attr, o.Len)
	}
	if o.Mode != 0 {
		fmt.Fprintf(&b, " mode %#o", o.Mode)
	}
	if o.Data != 0 {
		fmt.Fprintf(&b, " data %x", o.Data)
	}
	if o.Handle != 0 {
		fmt.Fprintf(&b, " handle %d", o.Handle)
	}
	return b.String()
}
