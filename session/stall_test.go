package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

// BenchmarkStalls measures how long a commit of many small files holds up
// somebody who works on the mount meanwhile: what the longest call took that
// was under way while the session was frozen and planned, burned and read back,
// and published. It is run once, by hand:
//
//	TMPDIR=/dev/shm go test -run '^$' -bench Stalls -benchtime 1x ./session
func BenchmarkStalls(b *testing.B) {
	for b.Loop() {
		for _, files := range []int{10_000, 100_000} {
			b.Run(fmt.Sprint(files), func(b *testing.B) { stalls(b, files) })
		}
	}
}

// A call is what one thing that was done to the mount took.
type call struct {
	what       string
	begin, end time.Time
}

func stalls(b *testing.B, files int) {
	ctx := b.Context()
	dir, err := os.MkdirTemp("", "burnfs-stalls-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "disc.iso")
	e, err := emu.Open(name, emu.Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	d, err := Open(ctx, mmc.NewDrive(e, nil), Options{Name: name, StateDir: filepath.Join(dir, "state")})
	if err != nil {
		b.Fatal(err)
	}
	t := d.Tree()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	create := func(dir *tree.Node, name string) *tree.Node {
		n, err := t.Create(ctx, dir, name, tree.New{Mode: unix.S_IFREG | 0o644})
		must(err)
		t.OpenNode(n, true)
		_, err = t.WriteAt(ctx, n, make([]byte, 1000), 0, false)
		must(err)
		t.CloseNode(n, true)
		return n
	}
	var nodes []*tree.Node
	var at *tree.Node
	for i := range files {
		if i%1000 == 0 {
			at, err = t.Create(ctx, t.Root(), fmt.Sprint("d", i), tree.New{Mode: unix.S_IFDIR | 0o755})
			must(err)
		}
		nodes = append(nodes, create(at, fmt.Sprint("file number ", i)))
	}

	// Three who work, each a call after another.
	var calls [3][]call
	var wait sync.WaitGroup
	stop := make(chan struct{})
	work := func(k int, what string, do func(i int)) {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(500 * time.Microsecond):
				}
				c := call{what: what, begin: time.Now()}
				do(i)
				c.end = time.Now()
				calls[k] = append(calls[k], c)
			}
		})
	}
	mine, err := t.Create(ctx, t.Root(), "meanwhile", tree.New{Mode: unix.S_IFDIR | 0o755})
	must(err)
	p := make([]byte, 1000)
	work(0, "create and write", func(i int) { create(mine, fmt.Sprint(i)) })
	work(1, "stat", func(i int) {
		_, err := t.Attr(ctx, nodes[i%files])
		must(err)
		_, err = t.Lookup(ctx, at, "file number 0")
		if i > 1<<30 {
			must(err)
		}
	})
	work(2, "read", func(i int) {
		_, err := t.ReadAt(ctx, nodes[i%files], p, 0)
		must(err)
	})
	time.Sleep(200 * time.Millisecond)

	var burning, last time.Time
	begin := time.Now()
	_, err = d.Commit(ctx, "benchmark", func(p Progress) {
		last = time.Now()
		if p.Phase == PhaseBurning && burning.IsZero() {
			burning = last
		}
	})
	must(err)
	end := time.Now()
	close(stop)
	wait.Wait()
	must(d.Close(context.Background()))

	for _, w := range []struct {
		name     string
		from, to time.Time
	}{{"freeze", begin, burning}, {"burn", burning, last}, {"publish", last, end}} {
		b.ReportMetric(w.to.Sub(w.from).Seconds()*1000, w.name+"-ms")
		for k := range calls {
			var longest time.Duration
			for _, c := range calls[k] {
				if c.end.After(w.from) && c.begin.Before(w.to) {
					longest = max(longest, c.end.Sub(c.begin))
				}
			}
			b.Logf("%7d files: %-8s took %6d ms, longest %-16s %7.1f ms", files, w.name, w.to.Sub(w.from).Milliseconds(), calls[k][0].what, longest.Seconds()*1000)
		}
	}
}
