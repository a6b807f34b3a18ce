package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

// A library is a directory of a few files whose contents are made of the same few
// parts, so that most of what is burned of them is on the disc already.
type library struct {
	*rig
	rng   *rand.Rand
	parts [][]byte
	files map[string]*[]byte // names of one file have one pointer
}

func (l *library) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// some is made of whole parts mostly, and is of about n of them.
func (l *library) some(n int) (b []byte) {
	if l.rng.IntN(3) == 0 {
		return bytes.Clone(l.parts[l.rng.IntN(len(l.parts))])
	}
	for range l.rng.IntN(n + 1) {
		b = append(b, l.parts[l.rng.IntN(len(l.parts))]...)
	}
	if l.rng.IntN(4) == 0 {
		b = append(b, l.parts[0][:l.rng.IntN(5000)]...)
	}
	return b
}

func (l *library) any() (string, *[]byte) {
	names := slices.Sorted(maps.Keys(l.files))
	if len(names) == 0 {
		return "", nil
	}
	name := names[l.rng.IntN(len(names))]
	return name, l.files[name]
}

func (l *library) store(f *[]byte, off int, b []byte) {
	if len(b) > 0 {
		*f = append(*f, make([]byte, max(off+len(b)-len(*f), 0))...)
		copy((*f)[off:], b)
	}
}

func (l *library) resize(f *[]byte, size int) {
	*f = append((*f)[:min(len(*f), size):min(len(*f), size)], make([]byte, max(size-len(*f), 0))...)
}

// step changes something, here and there.
func (l *library) step() {
	l.Helper()
	t := l.disc.Tree()
	root := t.Root()
	name := fmt.Sprintf("f%d", l.rng.IntN(8))
	other, f := l.any()
	switch k := l.rng.IntN(20); {
	case f == nil || k < 5: // written over, or new
		data := l.some(5)
		if f != nil && k < 3 {
			data = bytes.Clone(*f) // a copy
			if k == 1 && len(data) > 0 {
				data[l.rng.IntN(len(data))]++
			}
		}
		l.put(name, data)
		if old := l.files[name]; old != nil {
			*old = data
		} else {
			l.files[name] = &data
		}
	case k < 9: // changed somewhere
		off := l.rng.IntN(len(*f) + 1)
		if k < 7 {
			off -= off % 2048
		}
		data := l.some(2)
		if k == 8 {
			data = l.parts[1][:1+l.rng.IntN(3000)]
		}
		if len(*f)+len(data) > 500_000 || len(data) == 0 {
			return
		}
		_, err := t.WriteAt(l.ctx, l.dir(other), data, int64(off), false)
		l.must(err)
		l.store(f, off, data)
	case k < 12: // the same bytes once more
		if len(*f) == 0 {
			return
		}
		from := l.rng.IntN(len(*f))
		to := from + l.rng.IntN(len(*f)-from)
		_, err := t.WriteAt(l.ctx, l.dir(other), (*f)[from:to], int64(from), false)
		l.must(err)
	case k < 14: // cut, or longer by a hole
		size := l.rng.IntN(len(*f)*5/4 + 1)
		if k == 12 {
			size -= size % 2048
		}
		l.truncate(other, int64(size))
		l.resize(f, size)
	case k < 15: // a hole in it
		if len(*f) < 2 {
			return
		}
		off := l.rng.IntN(len(*f) - 1)
		n := 1 + l.rng.IntN(len(*f)-off-1)
		l.must(t.Allocate(l.ctx, l.dir(other), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), int64(n)))
		clear((*f)[off : off+n])
	case k < 17: // over another one
		if l.files[name] == f {
			return
		}
		l.must(t.Rename(l.ctx, root, other, root, name))
		delete(l.files, other)
		l.files[name] = f
	case k < 18:
		l.remove(other)
		delete(l.files, other)
	default:
		if l.files[name] != nil {
			return
		}
		l.must(t.Link(l.ctx, l.dir(other), root, name))
		l.files[name] = f
	}
}

func (l *library) same(when string) {
	l.Helper()
	entries, err := l.disc.Tree().ReadDir(l.ctx, l.disc.Tree().Root())
	l.must(err)
	if len(entries) != len(l.files) {
		l.Fatalf("%s: %d names instead of %d", when, len(entries), len(l.files))
	}
	for name, f := range l.files {
		if !bytes.Equal(l.get(l.dir(name)), *f) {
			l.Fatalf("%s: %s has another content", when, name)
		}
	}
}

// TestLibrary changes files of which most bytes are on the disc already, in sessions
// under all options, while others are burned, and with burns that are interrupted and
// taken up under another option. Closing the disc checks all checksums on it.
func TestLibrary(t *testing.T) {
	for i, media := range []emu.Media{"bd-r", "dvd+rw", ""} {
		t.Run("media="+string(media), func(t *testing.T) {
			t.Parallel()
			l := &library{rig: newRig(t, media), rng: rand.New(rand.NewPCG(uint64(i), seedOfLibrary)), files: map[string]*[]byte{}}
			l.damaged = true // interrupted sessions are found among the others
			for p := range 6 {
				l.parts = append(l.parts, noise(uint64(p), 40_960))
			}
			options := func() {
				l.opt.Delta = []tree.Delta{4096, 20_000, tree.DeltaAuto, tree.DeltaOff}[l.rng.IntN(4)*l.rng.IntN(2)]
				l.opt.NoDedupe = l.rng.IntN(4) == 0
			}
			options()
			l.open()
			var late, again int
			var reused int64
			for round := range 25 {
				for range 1 + l.rng.IntN(12) {
					l.step()
				}
				ctx, cancel := context.WithCancel(l.ctx)
				stop, reports := l.rng.IntN(15)*(l.rng.IntN(3)/2), 0
				rep, err := l.disc.Commit(ctx, "test", func(p Progress) {
					if reports++; reports > 1 && l.rng.IntN(2) == 0 {
						late++
						l.step()
					}
					if reports == stop {
						cancel()
					}
				})
				cancel()
				if err != nil {
					again++
				} else {
					reused += rep.Reused.Files
				}
				if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				l.same(fmt.Sprintf("round %d, committed (%v)", round, err))
				if err != nil || l.rng.IntN(3) == 0 {
					l.close()
					options()
					l.open()
					l.same(fmt.Sprintf("round %d, mounted", round))
					if l.rng.IntN(2) == 0 {
						l.step()
					}
					l.disc.background.Wait()
					l.same(fmt.Sprintf("round %d, resumed", round))
				}
			}
			l.commit()
			l.damaged = false
			l.close()
			l.damaged = true
			l.open()
			l.same("at the end")
			t.Logf("%d changes came late, %d burns were interrupted, %d files were reused", late, again, reused)
		})
	}
}

// seedOfLibrary chooses what TestLibrary does.
const seedOfLibrary = 1
