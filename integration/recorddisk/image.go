package recorddisk

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Root is the number of the root directory.
const Root = 1

// Image is what a disk shows at one moment: directories and regular files. Modes, owners and
// times are not kept.
type Image struct {
	Dirs  map[uint64]map[string]uint64
	Files map[uint64]*content
	Next  uint64 // lowest number that was never used
}

// NewImage returns an image with empty directories in its root.
func NewImage(dirs ...string) *Image {
	i := &Image{Dirs: map[uint64]map[string]uint64{Root: {}}, Files: map[uint64]*content{}, Next: Root + 1}
	for _, name := range dirs {
		i.apply(&Op{Kind: Mkdir, Dir: Root, Name: name, Node: i.Next})
	}
	return i
}

// clone copies i; pages are shared.
func (i *Image) clone() *Image {
	c := &Image{Dirs: make(map[uint64]map[string]uint64, len(i.Dirs)), Files: make(map[uint64]*content, len(i.Files)), Next: i.Next}
	for n, d := range i.Dirs {
		c.Dirs[n] = maps.Clone(d)
	}
	for n, f := range i.Files {
		c.Files[n] = f.clone()
	}
	return c
}

// apply does an operation that was possible when it was noted. In a state that lacks
// operations before it, what it asks for may be gone; then it does what is left of it.
func (i *Image) apply(o *Op) {
	i.Next = max(i.Next, o.Node+1)
	switch o.Kind {
	case Create:
		i.Files[o.Node] = newContent()
	case Mkdir:
		i.Dirs[o.Node] = map[string]uint64{}
	}
	if o.names() {
		rename(i.Dirs, o)
		return
	}
	if f := i.Files[o.Node]; f != nil {
		f.apply(o)
	}
}

// rename does what o says of names.
func rename(dirs map[uint64]map[string]uint64, o *Op) {
	switch o.Kind {
	case Create, Mkdir, Link:
		if d := dirs[o.Dir]; d != nil {
			d[o.Name] = o.Node
		}
	case Rename, Unlink:
		if d := dirs[o.Dir]; d != nil && d[o.Name] == o.Node {
			delete(d, o.Name)
		}
		if d := dirs[o.Dir2]; o.Kind == Rename && d != nil {
			d[o.Name2] = o.Node
		}
	}
}

func (c *content) apply(o *Op) {
	switch o.Kind {
	case Write:
		c.writeAt(o.Data, o.Off)
	case Truncate:
		c.truncate(o.Off)
	case Punch:
		c.punch(o.Off, o.Len)
	}
}

// Import reads an image from a directory of the host.
func Import(dir string) (*Image, error) {
	i := NewImage()
	numbers := map[string]uint64{".": Root}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		op := Op{Kind: Create, Dir: numbers[filepath.Dir(path)], Name: e.Name(), Node: i.Next}
		if e.IsDir() {
			op.Kind = Mkdir
		}
		numbers[path] = op.Node
		i.apply(&op)
		if e.IsDir() {
			return nil
		}
		return i.Files[op.Node].load(filepath.Join(dir, path))
	})
	return i, err
}

// load fills c from a file; pages of zeros become holes.
func (c *content) load(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	zeros := make([]byte, pageSize)
	for at := 0; at < len(b); at += pageSize {
		if p := b[at:min(at+pageSize, len(b))]; string(p) != string(zeros[:len(p)]) {
			c.writeAt(p, int64(at))
		}
	}
	c.Size = int64(len(b))
	return nil
}

// Export writes the image into a directory of the host, which must be empty. Holes stay
// holes.
func (i *Image) Export(dir string) error { return i.export(dir, Root) }

func (i *Image) export(dir string, n uint64) error {
	for name, child := range i.Dirs[n] {
		path := filepath.Join(dir, name)
		if i.Dirs[child] != nil {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			if err := i.export(path, child); err != nil {
				return err
			}
			continue
		}
		f := i.Files[child]
		if f == nil {
			return fmt.Errorf("%s means node %d, which is not there", path, child)
		}
		if err := f.store(path); err != nil {
			return err
		}
	}
	return nil
}

func (c *content) store(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	var run []byte // pages that follow each other
	var from int64
	flush := func() error {
		_, err := f.WriteAt(run, from)
		run = run[:0]
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(c.Pages)) {
		if len(run) > 0 && k*pageSize != from+int64(len(run)) {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(run) == 0 {
			from = k * pageSize
		}
		run = append(run, c.Pages[k]...)
	}
	if err := flush(); err != nil {
		return err
	}
	return f.Truncate(c.Size)
}

// ReadAt reads the file with the path, which has no leading slash, from byte off on. What is
// not there reads as zeros; ok is false if there is no such file.
func (i *Image) ReadAt(path string, b []byte, off int64) (ok bool) {
	n := uint64(Root)
	for _, name := range strings.Split(path, "/") {
		if n, ok = i.Dirs[n][name]; !ok {
			return false
		}
	}
	f := i.Files[n]
	if f == nil {
		return false
	}
	clear(b)
	f.readAt(b, off)
	return true
}
