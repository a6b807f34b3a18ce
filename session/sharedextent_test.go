package session

import (
	"bytes"
	"testing"

	"burnfs/session/tree"
)

// TestSharedExtents changes files that another program recorded once for two names,
// without a word about it: each goes its own way, and none of the extents that they
// still share is taken for damage.
func TestSharedExtents(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(r *rig, n *tree.Node)
		want   func(data []byte) []byte
	}{
		{"cut: both begin at one block", func(r *rig, n *tree.Node) {
			size := int64(5000)
			if _, err := r.disc.Tree().SetAttr(r.ctx, n, tree.SetAttr{Size: &size}); err != nil {
				r.Fatal(err)
			}
		}, func(data []byte) []byte { return data[:5000] }},
		{"changed in its middle: the rest stays a section of its own", func(r *rig, n *tree.Node) {
			if _, err := r.disc.Tree().WriteAt(r.ctx, n, []byte("changed"), 4<<20, false); err != nil {
				r.Fatal(err)
			}
		}, func(data []byte) []byte { copy(data[4<<20:], "changed"); return data }},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := newRig(t, "")
			sh(t, t.TempDir(), `head -c 8388608 /dev/urandom >a && ln a b && genisoimage -quiet -o `+r.path+` .`)
			r.open()
			read := func(name string) (*tree.Node, []byte) {
				n, err := r.disc.Tree().Lookup(r.ctx, r.disc.Tree().Root(), name)
				if err != nil {
					t.Fatal(err)
				}
				return n, r.get(n)
			}
			n, data := read("a")
			row.change(r, n)
			r.commit()
			r.close()
			r.open()
			if _, got := read("b"); !bytes.Equal(got, data) {
				t.Error("the other name shows other bytes")
			}
			if _, got := read("a"); !bytes.Equal(got, row.want(data)) {
				t.Error("the change was lost")
			}
		})
	}
}
