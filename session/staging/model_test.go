package staging

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

var seedFlag = flag.Uint64("seed", 1, "seed of the random tests, 0 for a new one")

func newRand(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// A piece is a range of the log whose bytes follow from its seed.
type piece struct {
	addr, len int64
	seed      uint64
}

func (p piece) bytes() []byte {
	b := make([]byte, p.len)
	r := rand.New(rand.NewPCG(p.seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32()) | 1 // never zero, so that a hole is noticed
	}
	return b
}

// files is what a tree on top of the store would know: the pieces of each inode.
type files map[uint64][]piece

func encodePieces(ps []piece) []byte {
	b := []byte{}
	for _, p := range ps {
		b = binary.BigEndian.AppendUint64(b, uint64(p.addr))
		b = binary.BigEndian.AppendUint64(b, uint64(p.len))
		b = binary.BigEndian.AppendUint64(b, p.seed)
	}
	return b
}

func decodePieces(rec []byte) (ps []piece, err error) {
	if len(rec)%24 != 0 {
		return nil, fmt.Errorf("record of %d bytes", len(rec))
	}
	for ; len(rec) > 0; rec = rec[24:] {
		ps = append(ps, piece{
			addr: int64(binary.BigEndian.Uint64(rec)),
			len:  int64(binary.BigEndian.Uint64(rec[8:])),
			seed: binary.BigEndian.Uint64(rec[16:]),
		})
	}
	return ps, nil
}

func pieceRanges(_ uint64, rec []byte) (rs []Range, err error) {
	ps, err := decodePieces(rec)
	for _, p := range ps {
		rs = append(rs, Range{p.addr, p.len})
	}
	return rs, err
}

// load reads files back from the records.
func load(s *Store) (f files, err error) {
	f = files{}
	err = s.View(func(r Reader) error {
		for ino, rec := range r.Inodes() {
			if f[ino], err = decodePieces(rec); err != nil {
				return err
			}
		}
		return nil
	})
	return f, err
}

func (f files) equal(g files) bool { return maps.EqualFunc(f, g, slices.Equal) }

func (f files) clone() files {
	g := files{}
	for ino, ps := range f {
		g[ino] = slices.Clone(ps)
	}
	return g
}

// sum is a digest of f.
func (f files) sum() []byte {
	h := sha256.New()
	for _, ino := range slices.Sorted(maps.Keys(f)) {
		h.Write(inodeKey(ino))
		h.Write(encodePieces(f[ino]))
	}
	return h.Sum(nil)
}

// verify reads all pieces of f.
func (f files) verify(s *Store) error {
	for ino, ps := range f {
		for _, p := range ps {
			got := make([]byte, p.len)
			if err := s.ReadAt(got, p.addr); err != nil {
				return fmt.Errorf("inode %d, %+v: %w", ino, p, err)
			}
			if !slices.Equal(got, p.bytes()) {
				return fmt.Errorf("inode %d: other bytes at %+v", ino, p)
			}
		}
	}
	return nil
}

// A world does random things to a store and knows what must come of them.
type world struct {
	r     *rand.Rand
	s     *Store
	now   files
	dirty map[uint64]bool
	// committed is called after each commit with the number of commits in this world.
	committed func(n uint64)
	commits   uint64
	keep      bool // never reset
	// durable is what a crash leaves; while a commit has failed halfway, doubt is what it
	// may leave instead.
	durable, doubt files
	frozen         []frozenWorld
}

type frozenWorld struct {
	files   files
	release func()
}

func newWorld(r *rand.Rand) *world {
	return &world{r: r, now: files{}, durable: files{}, dirty: map[uint64]bool{}, committed: func(uint64) {}}
}

// do does one random thing. On error the world is as if it had not been done.
func (w *world) do() error {
	ino := w.r.Uint64N(8)
	switch n := w.r.IntN(100); {
	case n < 40:
		return w.append(ino)
	case n < 50:
		return w.overwrite(ino)
	case n < 60:
		w.remove(ino)
	case n < 67:
		return w.writeInPlace(ino)
	case n < 72:
		if len(w.frozen) < 3 {
			w.frozen = append(w.frozen, frozenWorld{w.now.clone(), w.s.Pin()})
		}
	case n < 77:
		return w.thaw()
	case n < 90:
		return w.commit()
	case n < 92:
		return w.note()
	case n < 95:
		w.s.sweep(w.r.IntN(2) == 0)
	case n < 96 && !w.keep:
		return w.reset()
	default:
		return w.now.verify(w.s)
	}
	return nil
}

func (w *world) newPiece() (piece, error) {
	p := piece{len: 1 + w.r.Int64N(3000), seed: w.r.Uint64()}
	var err error
	p.addr, err = w.s.Append(p.bytes())
	return p, err
}

func (w *world) append(ino uint64) error {
	p, err := w.newPiece()
	if err == nil {
		w.now[ino] = append(w.now[ino], p)
		w.dirty[ino] = true
	}
	return err
}

func (w *world) overwrite(ino uint64) error {
	if len(w.now[ino]) == 0 {
		return nil
	}
	p, err := w.newPiece()
	if err == nil {
		i := w.r.IntN(len(w.now[ino]))
		old := w.now[ino][i]
		w.now[ino] = slices.Clone(w.now[ino])
		w.now[ino][i] = p
		w.dirty[ino] = true
		w.s.Free(old.addr, old.len)
	}
	return err
}

func (w *world) remove(ino uint64) {
	for _, p := range w.now[ino] {
		w.s.Free(p.addr, p.len)
	}
	delete(w.now, ino)
	w.dirty[ino] = true
}

// writeInPlace overwrites a piece that neither a record nor a frozen world knows.
func (w *world) writeInPlace(ino uint64) error {
	for i, p := range w.now[ino] {
		known := p.addr < w.s.Sealed() || slices.ContainsFunc(w.frozen, func(f frozenWorld) bool {
			return slices.Contains(f.files[ino], p)
		})
		if known {
			continue
		}
		p.seed = w.r.Uint64()
		err := w.s.WriteAt(p.bytes(), p.addr)
		w.now[ino] = slices.Clone(w.now[ino])
		w.now[ino][i] = p
		w.dirty[ino] = true
		if err != nil {
			w.remove(ino) // it holds some of both
		}
		return err
	}
	return nil
}

// thaw verifies a frozen world and lets it go.
func (w *world) thaw() error {
	if len(w.frozen) == 0 {
		return nil
	}
	i := w.r.IntN(len(w.frozen))
	f := w.frozen[i]
	if err := f.files.verify(w.s); err != nil {
		return fmt.Errorf("frozen: %w", err)
	}
	w.frozen = slices.Delete(w.frozen, i, i+1)
	f.release()
	return nil
}

// commit makes a batch, lets things happen, and commits it.
func (w *world) commit() error {
	b := w.s.NewBatch()
	state, dirty := w.now.clone(), w.dirty
	for ino := range dirty {
		if ps, ok := state[ino]; ok {
			b.PutInode(ino, encodePieces(ps))
		} else {
			b.DeleteInode(ino)
		}
	}
	b.PutMeta("commits", binary.BigEndian.AppendUint64(nil, w.commits+1))
	b.PutMeta("sum", state.sum())
	w.dirty = map[uint64]bool{}
	for range w.r.IntN(4) {
		// These frees come too late for the batch, which still names the ranges.
		if w.r.IntN(2) == 0 {
			w.remove(w.r.Uint64N(8))
		} else if err := w.overwrite(w.r.Uint64N(8)); err != nil {
			maps.Copy(w.dirty, dirty)
			return err
		}
	}
	if err := w.s.Commit(b); err != nil {
		maps.Copy(w.dirty, dirty)
		w.doubt = state
		return err
	}
	w.durable, w.doubt = state, nil
	w.commits++
	w.committed(w.commits)
	return nil
}

// note commits a value that says nothing about files, whatever is dirty.
func (w *world) note() error {
	b := w.s.NewBatch()
	b.PutMeta("note", []byte("x"))
	err := w.s.Commit(b)
	if err == nil {
		w.s.sweep(true)
	}
	return err
}

func (w *world) reset() error {
	if err := w.s.Reset(); err != nil {
		w.doubt = files{}
		return err
	}
	w.now, w.durable, w.dirty = files{}, files{}, map[uint64]bool{}
	return nil
}

// recover opens the store anew and checks that it holds what it must.
func (w *world) recover(state string, how layout) error {
	w.frozen = nil
	s, err := open(state, "u", slog.New(slog.DiscardHandler), how)
	if err != nil {
		return err
	}
	w.s = s
	f, err := load(s)
	if err != nil {
		return err
	}
	if !f.equal(w.durable) && (w.doubt == nil || !f.equal(w.doubt)) {
		return fmt.Errorf("records are %v, want %v or %v", f, w.durable, w.doubt)
	}
	w.now, w.durable, w.doubt, w.dirty = f, f.clone(), nil, map[uint64]bool{}
	if err := f.verify(s); err != nil {
		return err
	}
	err = s.Reclaim(func(yield func(Range) bool) {
		for _, ps := range f {
			for _, p := range ps {
				if !yield(Range{p.addr, p.len}) {
					return
				}
			}
		}
	})
	s.sweep(w.r.IntN(2) == 0)
	return errors.Join(err, f.verify(s))
}

// create makes the store of a world in a new state directory.
func create(t *testing.T) (state string) {
	t.Helper()
	state = t.TempDir()
	s, err := Create(state, Identity{UUID: "u"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return state
}

// Segments are small here, so that files span and whole segments die.
func smallLayout(d disk) layout {
	return layout{disk: d, segment: 16 << 10, holeMin: 2 << 10, manual: true}
}

// Whenever the power is cut, every record of the last commit that returned is there, and
// every byte that it names.
func TestPowerCut(t *testing.T) {
	r := newRand(t)
	for round := range 20 {
		state, d, w := create(t), newMemDisk(), newWorld(r)
		for cut := range 15 {
			if err := w.recover(state, smallLayout(d)); err != nil {
				t.Fatalf("round %d, after %d cuts: %v", round, cut, err)
			}
			// bbolt's own promise is not what is tested here.
			w.s.db.NoSync = true
			d.left = r.IntN(80)
			var err error
			for err == nil && !d.off {
				err = w.do()
			}
			if err != nil && !errors.Is(err, errPowerCut) {
				t.Fatalf("round %d, after %d cuts: %v", round, cut, err)
			}
			if err := w.s.Close(); err != nil && !errors.Is(err, errPowerCut) {
				t.Fatal(err)
			}
			d = d.crash(r, []float64{0, 0.5, 1}[r.IntN(3)])
		}
	}
}

// The same without a power cut, and the disk full now and then: nothing breaks, and once
// everything is deleted, all space comes back.
func TestFullDisk(t *testing.T) {
	r := newRand(t)
	for range 10 {
		state, d, w := create(t), newMemDisk(), newWorld(r)
		d.capacity = 32 << 10
		if err := w.recover(state, smallLayout(d)); err != nil {
			t.Fatal(err)
		}
		w.s.db.NoSync = true
		full := 0
		for range 800 {
			err := w.do()
			if errors.Is(err, ErrFull) {
				full++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if full == 0 {
			t.Error("the disk was never full")
		}
		for len(w.frozen) > 0 {
			if err := w.thaw(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.now.verify(w.s); err != nil {
			t.Fatal(err)
		}
		for ino := range uint64(8) {
			w.remove(ino)
		}
		for range 2 {
			if err := w.commit(); err != nil {
				t.Fatal(err)
			}
		}
		w.s.sweep(true)
		// Ends of the log that share a block with nothing dead remain.
		if used := d.used(); used > 2*d.block {
			t.Errorf("%d bytes are used by an empty store", used)
		}
		if err := w.s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
