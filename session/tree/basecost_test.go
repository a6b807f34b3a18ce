package tree

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/session/staging"
)

// crowdedBase is a foreign base of one directory with many files, the last of which
// are not read before release is closed.
type crowdedBase struct {
	files   int
	release chan struct{}
	err     error // comes then
}

func (b crowdedBase) Root(context.Context) (volume.Entry, error) {
	return volume.Entry{Mode: unix.S_IFDIR | 0o755, Nlink: 2, Sections: []iso9660.Section{{LBA: 30, Size: iso9660.BlockSize}}}, nil
}

func (b crowdedBase) OwnSerials() bool { return false }

func (b crowdedBase) ReadDir(ctx context.Context, _ iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) {
		for i := range b.files {
			if i == someEntries && b.release != nil {
				select {
				case <-b.release:
				case <-ctx.Done():
				}
				if b.err != nil {
					yield(volume.Entry{}, b.err)
					return
				}
			}
			e := volume.Entry{Name: fmt.Sprintf("f%05d", i), Mode: unix.S_IFREG | 0o644, Nlink: 1, RecordLBA: 30, RecordOffset: uint16(i)}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// TestBaseCostOfFew: what is read soon is waited for.
func TestBaseCostOfFew(t *testing.T) {
	for _, files := range []int{0, 10, someEntries - 1} {
		cost := NewBaseCost()
		go cost.Find(t.Context(), crowdedBase{files: files})
		if done, err := cost.WaitSome(t.Context()); !done || err != nil {
			t.Errorf("%d files: %v, %v", files, done, err)
		}
		blocks, dirs, err := cost.Wait(t.Context())
		if err != nil || dirs != 1 || blocks < 1 {
			t.Errorf("%d files: %d blocks, %d directories, %v", files, blocks, dirs, err)
		}
	}
}

// TestBaseCostIsAwaited: nothing is promised or changed before it is known what the
// directories of the disc take, and what is shown does not wait for that.
func TestBaseCostIsAwaited(t *testing.T) {
	unreadable := errors.New("a scratch")
	for _, c := range []struct {
		err    error
		reason string
	}{{nil, "it is found"}, {unreadable, "the directory cannot be read"}} {
		synctest.Test(t, func(t *testing.T) {
			counted := crowdedBase{files: someEntries + 5, release: make(chan struct{}), err: c.err}
			cost := NewBaseCost()
			go cost.Find(t.Context(), counted)
			if done, err := cost.WaitSome(t.Context()); done || err != nil {
				t.Fatalf("%s: the search has ended before its end: %v", c.reason, err)
			}
			store, err := staging.Create(t.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindForeign, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			tr, err := Open(t.Context(), Options{Store: store, Base: crowdedBase{files: 3}, NextIno: 1 << 20, Space: roomy, Cost: cost, FlushEvery: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tr.Lookup(t.Context(), tr.Root(), "f00001"); err != nil {
				t.Errorf("%s: %v", c.reason, err)
			}
			if n := tr.Available(); n != 0 || !tr.Counting() {
				t.Errorf("%s: %d bytes are promised before anything is known; counting: %v", c.reason, n, tr.Counting())
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := tr.Statfs(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: statfs does not end with its caller: %v", c.reason, err)
			}
			made := make(chan error, 1)
			go func() {
				_, err := tr.Create(t.Context(), tr.Root(), "new", New{Mode: unix.S_IFREG | 0o644})
				made <- err
			}()
			synctest.Wait()
			select {
			case err := <-made:
				t.Errorf("%s: a change did not wait: %v", c.reason, err)
			default:
			}
			close(counted.release)
			switch err := <-made; {
			case c.err == nil && err != nil:
				t.Errorf("%s: %v", c.reason, err)
			case c.err != nil && (!errors.Is(err, ErrIO) || !errors.Is(err, c.err)):
				t.Errorf("%s: a change ended with %v", c.reason, err)
			}
			if tr.Counting() {
				t.Errorf("%s: still counting", c.reason)
			}
			st, err := tr.Statfs(t.Context())
			switch {
			case c.err == nil && (err != nil || st.Free == 0 || tr.Available() == 0):
				t.Errorf("%s: %+v, %v, %d", c.reason, st, err, tr.Available())
			case c.err != nil && (!errors.Is(err, ErrIO) || tr.Available() != 0):
				t.Errorf("%s: %+v, %v, %d", c.reason, st, err, tr.Available())
			}
			if blocks := tr.space.space.Load().Tree; c.err == nil && blocks <= roomy.Tree {
				t.Errorf("the directories take %d blocks", blocks)
			}
			if err := errors.Join(tr.Close(t.Context()), store.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBaseCostOfAnotherBase: what is found out of the base before, or that it cannot be
// read any more, is nothing to who waited while a session was published.
func TestBaseCostOfAnotherBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counted := crowdedBase{files: someEntries + 5, release: make(chan struct{}), err: errors.New("a scratch")}
		cost := NewBaseCost()
		go cost.Find(t.Context(), counted)
		store, err := staging.Create(t.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindForeign, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		tr, err := Open(t.Context(), Options{Store: store, Base: crowdedBase{files: 3}, NextIno: 1 << 20, Space: roomy, Cost: cost, FlushEvery: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		killed, made := make(chan error, 1), make(chan error, 1)
		create := func(ctx context.Context, name string, done chan error) {
			_, err := tr.Create(ctx, tr.Root(), name, New{Mode: unix.S_IFREG | 0o644})
			done <- err
		}
		go create(ctx, "killed", killed)
		go create(t.Context(), "new", made)
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case err := <-killed:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the end of the caller ended a change with %v", err)
			}
		default:
			t.Error("a change does not end with its caller")
		}
		tr.space.replace(roomy)
		close(counted.release)
		if err := <-made; err != nil {
			t.Errorf("a change is refused because of the base before: %v", err)
		}
		if err := errors.Join(tr.Close(t.Context()), store.Close()); err != nil {
			t.Error(err)
		}
	})
}
