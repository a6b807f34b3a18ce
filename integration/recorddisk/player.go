package recorddisk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Player walks through a history and knows what is durable.
type Player struct {
	history *History
	next    int
	now     *Image
	top     map[uint64]uint64 // node → directory in the root that it was made in
	areas   map[uint64]*area  // by directory in the root
	synced  *Image            // what was promised
	pending []*Op             // what changed since and was not promised, in order
}

// area is one directory in the root.
type area struct {
	versions Versions
}

// Versions count how often the states of one directory in the root changed. States of the
// same Survival with the same count are the same.
type Versions struct{ All, Synced, Journalled int }

// Player returns a player that stands at the beginning.
func (h *History) Player() *Player {
	p := &Player{history: h, now: h.Start.clone(), synced: h.Start.clone(), top: map[uint64]uint64{}, areas: map[uint64]*area{}}
	for _, n := range h.Start.Dirs[Root] {
		p.areas[n] = &area{}
		p.assign(n, n)
	}
	return p
}

// assign puts node n of the start into an area.
func (p *Player) assign(n, top uint64) {
	p.top[n] = top
	for _, child := range p.history.Start.Dirs[n] {
		p.assign(child, top)
	}
}

// Next does the next operation. It returns nil when there is none.
func (p *Player) Next() *Op {
	if p.next == len(p.history.Ops) {
		return nil
	}
	o := &p.history.Ops[p.next]
	p.next++
	switch {
	case o.Kind == Sync:
		p.syncFile(o.Node)
	case o.Kind == SyncDir:
		p.syncDir(o.Node)
	case o.changes():
		p.change(o)
	}
	return o
}

// Pos is how many operations were done.
func (p *Player) Pos() int { return p.next }

func (p *Player) change(o *Op) {
	if o.Kind == Create || o.Kind == Mkdir {
		p.top[o.Node] = p.top[o.Dir]
		// The object is there, without a name that leads to it.
		nameless := *o
		nameless.Dir = 0
		p.synced.apply(&nameless)
	}
	p.now.apply(o)
	p.pending = append(p.pending, o)
	if a := p.areas[p.top[o.Node]]; a != nil {
		a.versions.All++
		if o.Kind != Write {
			a.versions.Journalled++
		}
	}
}

func (p *Player) syncFile(n uint64) {
	before := len(p.pending)
	p.pending = slices.DeleteFunc(p.pending, func(o *Op) bool { return o.Node == n && !o.names() })
	if f := p.now.Files[n]; f != nil && len(p.pending) != before {
		p.synced.Files[n] = f.clone()
		p.promised(n)
	}
}

// syncDir makes the names in directory n durable. Of a rename between directories that
// leaves the other half.
func (p *Player) syncDir(n uint64) {
	d := p.now.Dirs[n]
	if d == nil || maps.Equal(d, p.synced.Dirs[n]) {
		return
	}
	p.synced.Dirs[n] = maps.Clone(d)
	p.pending = slices.DeleteFunc(p.pending, func(o *Op) bool {
		return o.names() && (o.Dir == n || o.Kind == Rename && o.Dir2 == n) && (o.Kind != Rename || o.Dir == o.Dir2)
	})
	p.promised(n)
}

func (p *Player) promised(n uint64) {
	if a := p.areas[p.top[n]]; a != nil {
		a.versions.Synced++
		a.versions.Journalled++
	}
}

// Versions are those of a directory in the root.
func (p *Player) Versions(dir string) Versions {
	return p.areas[p.history.Start.Dirs[Root][dir]].versions
}

// NamesPending tells whether there are names that are not durable.
func (p *Player) NamesPending() bool {
	return slices.ContainsFunc(p.pending, func(o *Op) bool { return o.names() })
}

// Survival says what survives besides what was promised. See the package comment.
type Survival func(o *Op, b *content) bool

// All lets everything survive.
func All() Survival {
	return func(o *Op, b *content) bool {
		if b != nil {
			b.apply(o)
		}
		return true
	}
}

// Synced lets nothing survive that was not promised.
func Synced() Survival { return func(*Op, *content) bool { return false } }

// Journalled lets all survive but bytes.
func Journalled() Survival {
	return func(o *Op, b *content) bool {
		if b != nil && o.Kind != Write {
			b.apply(o)
		}
		return true
	}
}

// Chance lets every change survive with the same probability, writes by sectors of so many
// bytes.
func Chance(r *rand.Rand, sector int) Survival {
	keep := []float64{0.1, 0.5, 0.9}[r.IntN(3)]
	ordered, over := r.IntN(2) == 0, false
	return func(o *Op, b *content) bool {
		switch {
		case b == nil:
			if ordered {
				over = over || r.Float64() > keep
				return !over
			}
			return r.Float64() < keep
		case o.Kind != Write:
			if r.Float64() < keep {
				b.apply(o)
			}
		default:
			for at := 0; at < len(o.Data); {
				n := min(len(o.Data)-at, sector-int((o.Off+int64(at))%int64(sector)))
				if r.Float64() < keep {
					b.writeAt(o.Data[at:at+n], o.Off+int64(at))
				}
				at += n
			}
		}
		return true
	}
}

// State is what the disk holds when the power is cut now; how says what survives of each
// directory in the root. Names in the root itself are durable.
func (p *Player) State(how map[string]Survival) *Image {
	state := p.synced.clone()
	survival := map[uint64]Survival{}
	for name, s := range how {
		survival[p.history.Start.Dirs[Root][name]] = s
	}
	for _, o := range p.pending {
		s := survival[p.top[o.Node]]
		switch {
		case s == nil:
		case !o.names():
			if f := state.Files[o.Node]; f != nil {
				s(o, f)
			}
		case s(o, nil):
			rename(state.Dirs, o)
		}
	}
	return state
}
