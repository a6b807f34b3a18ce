package tree

import (
	"reflect"
	"testing"

	"burnfs/iso9660"
)

// TestFileList: what was noted of each file comes back, over the borders of slabs.
func TestFileList(t *testing.T) {
	kinds := []PublishedFile{
		{},
		{Checksum: 1 << 31, Sections: []iso9660.Section{}},
		{Checksum: 7, Sections: []iso9660.Section{{LBA: 1<<32 - 1, Size: 1<<32 - 2048}, {LBA: 5, Size: 1}}},
		{Sections: make([]iso9660.Section, 2000), Moved: make([]Move, 3000)},
		{Moved: []Move{{From: 1 << 60, Len: 1, To: 1 << 43}, {From: 3, Len: 1 << 40, To: 0}}},
	}
	var l fileList
	const n = 20000
	for i := range n {
		f := kinds[i%len(kinds)]
		if len(f.Sections) > 100 && i > 100 {
			continue
		}
		l.add(&Node{ino: uint64(i)}, &f)
	}
	at, last := 0, -1
	for node, f := range l.all {
		want := kinds[node.ino%uint64(len(kinds))]
		want.Ino = node.ino
		if len(f.Moved) == 0 {
			f.Moved = nil
		}
		if !reflect.DeepEqual(*f, want) {
			t.Fatalf("file %d: %+v instead of %+v", node.ino, *f, want)
		}
		if int(node.ino) <= last {
			t.Fatalf("file %d comes after %d", node.ino, last)
		}
		at, last = at+1, int(node.ino)
	}
	if at != len(l.nodes) {
		t.Errorf("%d of %d files", at, len(l.nodes))
	}
}
