package powercut

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/recorddisk"
	"burnfs/session/tree"
)

// writer changes a directory of its own, the only one who does, and remembers how it looked
// after each change. It tells the recorded disk when a change is begun and when a sync that
// it asked for has returned, so that afterwards any moment of the history can be asked which
// of its states may be found.
type writer struct {
	dir    string // path in the tree
	rng    *rand.Rand
	disk   *recorddisk.Disk
	tree   *tree.Tree
	states []string // manifests; the first is that of nothing at all
	open   []*tree.Node
}

func newWriter(dir string, rng *rand.Rand, disk *recorddisk.Disk) *writer {
	return &writer{dir: dir, rng: rng, disk: disk, states: []string{""}}
}

// change does something that is whole or not at all after a power cut.
func (w *writer) change(do func() error) error {
	if err := w.disk.Mark("%s begins %d", w.dir, len(w.states)); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	now, err := manifest(w.tree, w.dir)
	if err != nil {
		return err
	}
	w.states = append(w.states, now)
	return nil
}

// gone notes that from now on there may be nothing.
func (w *writer) gone() error {
	w.states = append(w.states, "")
	return w.disk.Mark("%s begins %d", w.dir, len(w.states)-1)
}

// promised notes that everything so far is safe.
func (w *writer) promised() error { return w.disk.Mark("%s synced %d", w.dir, len(w.states)-1) }

func (w *writer) sync() error {
	if err := w.tree.Sync(background()); err != nil {
		return err
	}
	return w.promised()
}

// begin makes the directory.
func (w *writer) begin() error {
	return w.change(func() error {
		_, err := w.tree.Create(background(), w.tree.Root(), strings.TrimPrefix(w.dir, "/"), tree.New{Mode: unix.S_IFDIR | 0o755})
		return err
	})
}

// step does something, and syncs now and then.
func (w *writer) step() error {
	if w.rng.IntN(6) == 0 {
		return w.sync()
	}
	if w.rng.IntN(12) == 0 { // as the background flush does: nobody is told
		return w.tree.Sync(background())
	}
	return w.change(w.something)
}

// find returns the paths below w.dir of those that keep allows, and the directories, itself
// included.
func (w *writer) find() (files, dirs []string, err error) {
	var walk func(n *tree.Node, path string) error
	walk = func(n *tree.Node, path string) error {
		if !n.IsDir() {
			files = append(files, path)
			return nil
		}
		dirs = append(dirs, path)
		list, err := w.tree.ReadDir(background(), n)
		if err != nil {
			return err
		}
		for _, e := range list {
			c, err := w.tree.Lookup(background(), n, e.Name)
			if err != nil {
				return err
			}
			if err := walk(c, path+"/"+e.Name); err != nil {
				return err
			}
		}
		return nil
	}
	n, err := lookup(w.tree, w.dir)
	if err == nil {
		err = walk(n, w.dir)
	}
	return files, dirs, err
}

func (w *writer) bytes() []byte {
	n := 1 + w.rng.IntN(300)
	if w.rng.IntN(3) == 0 {
		n = 1 + w.rng.IntN(20_000)
	}
	if w.rng.IntN(12) == 0 {
		n = 150_000 // leaves a hole in the log when it goes
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rng.Uint32()) | 1 // never zero, so that a lost byte is noticed
	}
	return b
}

func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:i], path[i+1:]
}

// something makes one random change.
func (w *writer) something() error {
	files, dirs, err := w.find()
	if err != nil {
		return err
	}
	ctx, t := background(), w.tree
	in := dirs[w.rng.IntN(len(dirs))]
	dir, err := lookup(t, in)
	if err != nil {
		return err
	}
	name := strconv.Itoa(w.rng.IntN(30))
	if len(files) > 12 && w.rng.IntN(2) == 0 {
		return w.remove(files[w.rng.IntN(len(files))])
	}
	if len(files) == 0 || w.rng.IntN(5) == 0 {
		_, err := t.Lookup(ctx, dir, name)
		if err == nil {
			return nil
		}
		made := tree.New{Mode: unix.S_IFREG | 0o644}
		switch w.rng.IntN(6) {
		case 0:
			made.Mode = unix.S_IFDIR | 0o755
		case 1:
			made.Mode, made.Target = unix.S_IFLNK|0o777, "to "+name
		}
		_, err = t.Create(ctx, dir, name, made)
		return err
	}
	path := files[w.rng.IntN(len(files))]
	n, err := lookup(t, path)
	if err != nil {
		return err
	}
	a, err := t.Attr(ctx, n)
	if err != nil {
		return err
	}
	regular := a.Mode&unix.S_IFMT == unix.S_IFREG
	size := w.rng.Int64N(a.Size + 3000)
	switch k := w.rng.IntN(100); {
	case k < 40 && regular:
		_, err = t.WriteAt(ctx, n, w.bytes(), w.rng.Int64N(a.Size+500), w.rng.IntN(2) == 0)
	case k < 47 && regular:
		_, err = t.SetAttr(ctx, n, tree.SetAttr{Size: &size})
	case k < 52 && regular:
		err = t.Allocate(ctx, n, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, size/2, 1+size/3)
	case k < 57:
		mode := uint32(0o600 + w.rng.IntN(64))
		_, err = t.SetAttr(ctx, n, tree.SetAttr{Mode: &mode})
	case k < 64 && regular:
		err = t.SetXattr(ctx, n, "user.a"+name, w.bytes()[:1], 0)
	case k < 72 && regular:
		if _, err := t.Lookup(ctx, dir, name); err == nil {
			return nil
		}
		err = t.Link(ctx, n, dir, name)
	case k < 84:
		if to, err := t.Lookup(ctx, dir, name); err == nil && to.IsDir() {
			return nil
		}
		from, old := split(path)
		d, err := lookup(t, from)
		if err != nil {
			return err
		}
		return t.Rename(ctx, d, old, dir, name)
	case k < 90 && len(dirs) > 1:
		// A directory of its own, empty or not, gets another name.
		from, old := split(dirs[1+w.rng.IntN(len(dirs)-1)])
		d, err := lookup(t, from)
		if err != nil {
			return err
		}
		return t.Rename(ctx, d, old, d, old+"r")
	default:
		if regular && w.rng.IntN(3) == 0 {
			t.OpenNode(n, true) // it lives on without a name
			w.open = append(w.open, n)
		}
		return w.remove(path)
	}
	return err
}

func (w *writer) remove(path string) error {
	dir, name := split(path)
	d, err := lookup(w.tree, dir)
	if err != nil {
		return err
	}
	return w.tree.Remove(background(), d, name, false)
}

// closeAll ends what is open without a name.
func (w *writer) closeAll() {
	for _, n := range w.open {
		w.tree.CloseNode(n, true)
	}
	w.open = nil
}

// bounds are the states of each writer that may be found at one moment of a history, the
// first and the last of them, by directory.
type bounds map[string]bound

type bound struct{ synced, begun int }

// see learns from an operation.
func (b bounds) see(o *recorddisk.Op) {
	if o.Kind != recorddisk.Mark {
		return
	}
	f := strings.Fields(o.Name)
	if len(f) != 3 {
		return
	}
	n, err := strconv.Atoi(f[2])
	if err != nil {
		return
	}
	x := b[f[0]]
	switch f[1] {
	case "begins":
		x.begun = n
	case "synced":
		x.synced = n
	}
	b[f[0]] = x
}

func (b bounds) clone() bounds { return maps.Clone(b) }

// within is b where a state was found that must be right since first: nothing that was begun
// later can be there.
func (b bounds) within(first bounds) bounds {
	c := b.clone()
	for dir, x := range c {
		// Changes that change nothing are synced without touching the disk.
		x.begun = max(min(x.begun, first[dir].begun), x.synced)
		c[dir] = x
	}
	return c
}

// find tells which state of each writer t shows, or why none may be shown.
func (b bounds) find(writers []*writer, t *tree.Tree) (map[string]string, error) {
	found := map[string]string{}
	for _, w := range writers {
		got, err := manifest(t, w.dir)
		if err != nil {
			return nil, err
		}
		x := b[w.dir]
		may := w.states[x.synced : x.begun+1]
		if !slices.Contains(may, got) {
			best := may[0]
			for _, s := range may {
				if len(differences(s, got)) < len(differences(best, got)) {
					best = s
				}
			}
			return nil, fmt.Errorf("%s is in none of the states %d to %d; it differs from the nearest by\n%s", w.dir, x.synced, x.begun, differences(best, got))
		}
		found[w.dir] = got
	}
	return found, nil
}
