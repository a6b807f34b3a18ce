package tree

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/session/extent"
)

// fakeBase is a session's tree of one directory.
type fakeBase struct {
	own     bool
	entries []volume.Entry
}

func (b *fakeBase) Root(context.Context) (volume.Entry, error) {
	return volume.Entry{Mode: unix.S_IFDIR | 0o755, Nlink: 2, Serial: RootIno, HasSerial: true, Sections: []iso9660.Section{{LBA: 20, Size: 2048}}}, nil
}

func (b *fakeBase) ReadDir(context.Context, iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) {
		for _, e := range b.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (b *fakeBase) OwnSerials() bool { return b.own }

// session is the publication of a session with one file.
func session(seq uint64, f PublishedFile, base Base) Publication {
	return Publication{
		Seq: seq, Base: base, Space: roomy,
		Directories: func(yield func(PublishedDir, error) bool) {
			yield(PublishedDir{RootIno, iso9660.Section{LBA: 120, Size: 2048}}, nil)
		},
		Files: func(yield func(PublishedFile, error) bool) { yield(f, nil) },
	}
}

func (b *bench) freeze() *Frozen {
	b.Helper()
	f, err := b.tree.Freeze(b.ctx)
	b.must(err)
	f.Release()
	return f
}

// A publication that staging refuses has not happened, and can happen later.
func TestPublicationThatStagingRefused(t *testing.T) {
	for _, mounted := range []bool{true, false} {
		b := newBench(t, roomy)
		n := b.create(b.tree.Root(), "f", file)
		b.write(n, 0, "data")
		before := b.tree.Available()
		at := b.freeze().Seq
		b.write(b.create(b.tree.Root(), "later", file), 0, "more")
		want := b.tree.Pending()
		base := &fakeBase{own: true, entries: []volume.Entry{{
			Name: "f", Mode: file, Nlink: 1, Serial: uint32(n.Ino()), HasSerial: true, Size: 4, Sections: []iso9660.Section{{LBA: 200, Size: 4}},
		}}}
		p := session(at, PublishedFile{Ino: n.Ino(), Sections: []iso9660.Section{{LBA: 200, Size: 4}}}, base)
		p.Meta = map[string][]byte{strings.Repeat("k", 40_000): {1}} // longer than a key may be
		if err := b.tree.Publish(b.ctx, p); err == nil {
			t.Fatal("a key of 40000 bytes was stored")
		}
		if got := b.tree.Pending(); got != want {
			t.Errorf("%+v is pending after a publication that was refused, want %+v", got, want)
		}
		if got := b.read(n); got != "data" {
			t.Errorf("the file holds %q", got)
		}
		b.must(b.tree.Sync(b.ctx))
		if !mounted {
			b.reopen(roomy)
			if got := b.tree.Pending(); got != want {
				t.Errorf("%+v is pending after a refused publication and a mount, want %+v", got, want)
			}
		}
		p.Meta = nil
		b.must(b.tree.Publish(b.ctx, p))
		after := Pending{Files: 1, Dirs: 1, Bytes: 4}
		if got := b.tree.Pending(); got != after {
			t.Errorf("%+v is pending after the publication, want %+v", got, after)
		}
		if got := b.tree.Available(); got > before {
			t.Errorf("%d bytes are free with a file more, and %d were before", got, before)
		}
		b.reopen(roomy)
		if got := b.tree.Pending(); got != after {
			t.Errorf("%+v is pending after the publication and a mount, want %+v", got, after)
		}
	}
}

// An open file without a name gives its blocks back once.
func TestNamelessFileAcrossAPublication(t *testing.T) {
	b := newBench(t, roomy)
	before := b.tree.Available()
	n := b.create(b.tree.Root(), "f", file)
	b.tree.OpenNode(n, true)
	b.write(n, 0, strings.Repeat("x", 1<<20))
	b.must(b.tree.Remove(b.ctx, b.tree.Root(), "f", false))
	b.must(b.tree.Publish(b.ctx, session(b.freeze().Seq, PublishedFile{}, &fakeBase{own: true})))
	b.tree.CloseNode(n, true)
	if got := b.tree.Available(); got > before {
		t.Errorf("%d bytes are free after all, and %d were before", got, before)
	}
	if got := b.tree.space.data.Load(); got != 0 {
		t.Errorf("%d blocks of data are booked", got)
	}
}

// What a nameless file does to its attributes is not booked.
func TestNamelessFileAttributes(t *testing.T) {
	b := newBench(t, roomy)
	n := b.create(b.tree.Root(), "f", file)
	b.tree.OpenNode(n, true)
	b.must(b.tree.SetXattr(b.ctx, n, "user.a", make([]byte, 3000), 0))
	b.must(b.tree.Remove(b.ctx, b.tree.Root(), "f", false))
	booked := b.tree.space.meta.Load()
	b.must(b.tree.RemoveXattr(b.ctx, n, "user.a"))
	b.must(b.tree.SetXattr(b.ctx, n, "user.b", make([]byte, 2000), 0))
	if got := b.tree.space.meta.Load(); got != booked {
		t.Errorf("%d bytes are booked, and %d were before", got, booked)
	}
}

// TestTranslate compares with the plain way: byte by byte.
func TestTranslate(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var moved []Move
		to := map[int64]int64{}
		for at, disc := int64(rng.IntN(5)), int64(10_000); at < 60; {
			m := Move{From: at, Len: 1 + int64(rng.IntN(8)), To: disc}
			moved = append(moved, m)
			for i := range m.Len {
				to[m.From+i] = m.To + i
			}
			at += m.Len + int64(rng.IntN(3))*int64(rng.IntN(6))
			disc += 2048
		}
		e := extent.Extent{Off: 1000, Len: 1 + int64(rng.IntN(40)), Kind: extent.Staged, Addr: int64(rng.IntN(50))}
		now, gone := translate(e, moved)
		var got, want []string
		for _, x := range now {
			for i := range x.Len {
				got = append(got, fmt.Sprint(x.Off+i, x.Kind, x.Addr+i))
			}
		}
		freed := int64(0)
		for i := range e.Len {
			if disc, ok := to[e.Addr+i]; ok {
				want = append(want, fmt.Sprint(e.Off+i, extent.OnDisc, disc))
				freed++
			} else {
				want = append(want, fmt.Sprint(e.Off+i, extent.Staged, e.Addr+i))
			}
		}
		for _, x := range gone {
			freed -= x.Len
		}
		if !slices.Equal(got, want) || freed != 0 {
			t.Fatalf("%v with %v:\ngot  %v, %v\nwant %v", e, moved, now, gone, want)
		}
	}
}

// A file of very many pieces that is written on while it is burned must not
// hold the mount up when it is published.
func TestTranslateIsFast(t *testing.T) {
	const pieces = 300_000
	moved := make([]Move, pieces)
	for i := range moved {
		moved[i] = Move{From: int64(i) * 10, Len: 5, To: int64(i) * 2048}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := threadTime(t)
	for i := range pieces {
		translate(extent.Extent{Len: 5, Kind: extent.Staged, Addr: int64(i) * 10}, moved)
	}
	if took := threadTime(t) - begin; took > 10*time.Second {
		t.Errorf("%d pieces took %v", pieces, took)
	}
}

// threadTime is how long this thread has worked: others may keep the processor busy.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return time.Duration(ts.Nano())
}

// Directories are read while the base is exchanged.
func TestReadingWhileThePublicationComes(t *testing.T) {
	b := newBench(t, roomy)
	var base fakeBase
	for i := range 50 {
		base.entries = append(base.entries, volume.Entry{Name: fmt.Sprint(i), Mode: file, Nlink: 1, Serial: uint32(100 + i), HasSerial: true})
	}
	base.own = true
	b.must(b.tree.Publish(b.ctx, session(0, PublishedFile{}, &base)))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 200 {
				d := &Node{ino: 5000, kind: unix.S_IFDIR, mode: fdir, dir: &directory{base: iso9660.Section{LBA: 120, Size: 2048}}}
				if _, err := b.tree.ReadDir(b.ctx, d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 50 {
		b.must(b.tree.Publish(b.ctx, session(0, PublishedFile{}, &base)))
	}
	wait.Wait()
}
