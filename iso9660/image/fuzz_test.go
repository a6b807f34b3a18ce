package image_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// FuzzRoundTrip makes a tree of the input, builds it and reads it back: it must
// be the same tree, in whatever order it is enumerated.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(""), byte(0))
	f.Add([]byte("\x01\x05hello\x02\x03dir\x01\x04file\x06\x03\x04link\x04/../"), byte(7))
	f.Add(bytes.Repeat([]byte("\x02\x02dd"), 40), byte(3))
	f.Add(bytes.Repeat([]byte("\x01\xffname of any bytes \x00\x01\xfe/"), 30), byte(15))
	f.Add(append([]byte("\x07\x06attrib"), bytes.Repeat([]byte{0xC3, 0xBC}, 4000)...), byte(1))
	f.Fuzz(func(t *testing.T, input []byte, shape byte) {
		tree := grow(input)
		opt := image.Options{
			RockRidge: true, Joliet: shape&1 != 0, Checksums: shape&2 != 0, DeepPaths: shape&4 != 0,
			Now: epoch, Align: uint32(shape & 32),
		}
		if shape&8 != 0 {
			opt.Start = 1 << 20
		}
		want, _ := render(t, tree, opt)
		compare(t, medium{bytes.NewReader(want), opt.Start}, opt.Start, tree)
		tree.random = rand.New(rand.NewPCG(uint64(shape), 0))
		if got, _ := render(t, tree, opt); !bytes.Equal(got, want) {
			t.Errorf("another order of enumeration gives another image; first difference at byte %d", difference(got, want))
		}
	})
}

// grow makes a tree of bytes: each node takes a kind, the length of a name, the
// name and what else it needs.
func grow(input []byte) *memTree {
	tree := newTree()
	g := gardener{tree: tree, input: input, taken: map[*memNode]map[string]bool{}}
	at := []*memNode{tree.root}
	var files []*memNode
	const enough = 500
	for n := 0; len(g.input) > 0 && n < enough; n++ {
		in := at[len(at)-1]
		kind, name := g.byte()%9, g.name(in)
		if name == "" {
			continue
		}
		switch kind {
		case 0:
			at = at[:max(1, len(at)-1-int(g.byte()%4))]
		case 1, 8:
			files = append(files, tree.file(in, name, g.bytes(int(g.byte())*40)))
		case 2:
			at = append(at, tree.dir(in, name))
		case 3:
			target := bytes.ReplaceAll(g.bytes(1+int(g.byte())*8), []byte{0}, []byte("/"))
			if len(target) == 0 {
				target = []byte(".") // POSIX has no empty ones
			}
			tree.add(in, name, symlink|0o777).Target = string(target)
		case 4:
			device := tree.add(in, name, 0o020600)
			device.RdevMajor, device.RdevMinor = uint32(g.byte())+1, uint32(g.byte())<<4|1
		case 5:
			tree.add(in, name, 0o010000|uint32(g.byte()))
		case 6:
			if len(files) > 0 {
				tree.link(in, name, files[int(g.byte())%len(files)])
			}
		case 7:
			node := tree.file(in, name, nil)
			for i := range g.byte() % 5 {
				node.Xattrs = append(node.Xattrs, aaip.Attr{Name: "user." + string('a'+rune(i)), Value: g.bytes(int(g.byte()) * 30)})
			}
			node.Mtime = node.Mtime.Add(time.Duration(g.byte()) * 1e15)
		}
	}
	// The names of one file have equal attributes; those of later links are
	// more.
	for _, f := range files {
		g.spread(tree.root, f)
	}
	return tree
}

type gardener struct {
	tree  *memTree
	input []byte
	taken map[*memNode]map[string]bool
}

func (g *gardener) byte() byte {
	if len(g.input) == 0 {
		return 0
	}
	b := g.input[0]
	g.input = g.input[1:]
	return b
}

func (g *gardener) bytes(n int) []byte {
	n = min(n, len(g.input))
	b := g.input[:n:n]
	g.input = g.input[n:]
	return b
}

// name takes a name that is allowed and new in the directory, or "".
func (g *gardener) name(in *memNode) string {
	name := string(g.bytes(int(g.byte())))
	name = string(bytes.ReplaceAll(bytes.ReplaceAll([]byte(name), []byte{0}, []byte("0")), []byte("/"), []byte("|")))
	if name == "." || name == ".." || g.taken[in][name] {
		return ""
	}
	if g.taken[in] == nil {
		g.taken[in] = map[string]bool{}
	}
	g.taken[in][name] = true
	return name
}

// spread gives all names of a file its number of links.
func (g *gardener) spread(in, file *memNode) {
	for _, n := range in.children {
		if n.ID == file.ID {
			n.Nlink = file.Nlink
		}
		g.spread(n, file)
	}
}
