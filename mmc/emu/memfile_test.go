package emu

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"burnfs/mmc"
)

// world is a computer whose power can fail: a data file and a state file, with
// what of them is durable.
type world struct {
	mu      sync.Mutex
	blocks  map[int64]string // what the page cache shows
	durable map[int64]string // what is on the disk
	dirty   map[int64]bool   // blocks written since the last Sync
	state   []byte           // durable state file

	writeErr, syncErr, replaceErr error // what fails from now on
}

func newWorld() *world {
	return &world{blocks: map[int64]string{}, durable: map[int64]string{}, dirty: map[int64]bool{}}
}

// errInjected is the cause of every failure that a test orders.
var errInjected = errors.New("injected")

func (w *world) ReadAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(p)
	for i := 0; i < len(p); i += mmc.BlockSize {
		copy(p[i:], w.blocks[off/mmc.BlockSize+int64(i/mmc.BlockSize)])
	}
	return len(p), nil
}

func (w *world) WriteAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writeErr != nil {
		return 0, w.writeErr
	}
	for i := 0; i < len(p); i += mmc.BlockSize {
		b := off/mmc.BlockSize + int64(i/mmc.BlockSize)
		w.blocks[b], w.dirty[b] = string(p[i:i+mmc.BlockSize]), true
	}
	return len(p), nil
}

func (w *world) Zero(off, length int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writeErr != nil {
		return w.writeErr
	}
	first, end := off/mmc.BlockSize, (off+length)/mmc.BlockSize
	for b := range w.blocks {
		if b >= first && b < end {
			delete(w.blocks, b)
			w.dirty[b] = true
		}
	}
	return nil
}

func (w *world) Truncate(int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := range w.blocks {
		w.dirty[b] = true
	}
	clear(w.blocks)
	return w.writeErr
}

func (w *world) Sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.syncErr != nil {
		return w.syncErr
	}
	w.settle(func() bool { return true })
	return nil
}

// settle makes those dirty blocks durable that survive says.
func (w *world) settle(survives func() bool) {
	for b := range w.dirty {
		if !survives() {
			continue
		}
		if p, ok := w.blocks[b]; ok {
			w.durable[b] = p
		} else {
			delete(w.durable, b)
		}
		delete(w.dirty, b)
	}
}

func (w *world) Size() (size int64, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := range w.blocks {
		size = max(size, (b+1)*mmc.BlockSize)
	}
	return size, nil
}

func (w *world) Close() error { return nil }

func (w *world) replace(_ string, b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.replaceErr != nil {
		return w.replaceErr
	}
	w.state = append([]byte(nil), b...)
	return nil
}

// powerCut returns the world after a power cut: of what was not durable, each
// block survives with probability p.
func (w *world) powerCut(rng *rand.Rand, p float64) *world {
	w.mu.Lock()
	defer w.mu.Unlock()
	after := newWorld()
	after.state = append([]byte(nil), w.state...)
	for b, content := range w.durable {
		after.durable[b] = content
	}
	for b := range w.dirty {
		if rng.Float64() >= p {
			continue
		}
		if content, ok := w.blocks[b]; ok {
			after.durable[b] = content
		} else {
			delete(after.durable, b)
		}
	}
	for b, content := range after.durable {
		after.blocks[b] = content
	}
	return after
}

// blankState returns the state of a new medium.
func blankState(t testing.TB, media Media, blocks int64) *state {
	k, ok := kindOf(media)
	if !ok {
		t.Fatalf("no such medium: %q", media)
	}
	n, err := k.capacity(blocks)
	if err != nil {
		t.Fatal(err)
	}
	s := newState(k, n, false)
	return &s
}

// drive puts a medium of this world into a drive whose clock stands still.
func (w *world) drive(s *state) *Drive {
	k, _ := kindOf(s.Media)
	m := &medium{kind: k.as(s), state: *s, data: &store{path: "disc", data: w, replace: w.replace}}
	d := newDrive("disc", m, Options{}, slog.New(slog.DiscardHandler))
	d.pace.now = func() time.Time { return time.Time{} }
	d.pace.sleep = func(time.Duration) {}
	d.attention = nil
	return d
}
