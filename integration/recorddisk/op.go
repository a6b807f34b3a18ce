package recorddisk

import "fmt"

// Kind is what an operation does.
type Kind uint8

// Kinds of operations. Node is the file or directory that it is about.
const (
	Create   Kind = iota + 1 // Node is the new file Name in Dir
	Mkdir                    // Node is the new directory Name in Dir
	Link                     // Node is also Name in Dir
	Rename                   // Node was Name in Dir and is Name2 in Dir2, instead of what was
	Unlink                   // Node is not Name in Dir any more; directories, too
	Write                    // Data at Off
	Truncate                 // to Off bytes
	Punch                    // [Off, Off+Len) are zeros without blocks
	Sync                     // fsync or fdatasync of a file
	SyncDir                  // fsync of a directory
	Mark                     // no operation of the file system: Name is what Disk.Mark said
)

var kindNames = [...]string{"", "create", "mkdir", "link", "rename", "unlink", "write", "truncate", "punch", "fsync", "fsync of directory", "mark"}

// String is the name of the system call.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Op is one operation. Nodes are numbered from Root; no number is used again.
type Op struct {
	Kind            Kind
	Node, Dir, Dir2 uint64
	Name, Name2     string
	Off, Len        int64 // bytes
	Data            []byte
}

// changes tells whether the operation changes what the disk shows.
func (o *Op) changes() bool { return o.Kind < Sync }

// names tells whether it changes names.
func (o *Op) names() bool { return o.Kind <= Unlink }

// String describes the operation in a line.
func (o Op) String() string {
	switch o.Kind {
	case Write:
		return fmt.Sprintf("write of %d bytes at %d of node %d", len(o.Data), o.Off, o.Node)
	case Truncate:
		return fmt.Sprintf("truncate of node %d to %d", o.Node, o.Off)
	case Punch:
		return fmt.Sprintf("hole of %d bytes at %d of node %d", o.Len, o.Off, o.Node)
	case Rename:
		return fmt.Sprintf("rename of node %d from %s to %s", o.Node, o.Name, o.Name2)
	case Sync, SyncDir:
		return fmt.Sprintf("%v %d", o.Kind, o.Node)
	}
	return fmt.Sprintf("%v %s (node %d)", o.Kind, o.Name, o.Node)
}

// History is what happened to a disk.
type History struct {
	Start *Image // what was there, all of it durable
	Ops   []Op
}

// Counts returns how many operations of each kind there are.
func (h *History) Counts() map[Kind]int {
	n := make(map[Kind]int)
	for _, o := range h.Ops {
		n[o.Kind]++
	}
	return n
}
