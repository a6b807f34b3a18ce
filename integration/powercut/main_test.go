package powercut

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"burnfs/integration/recorddisk"
)

var (
	whole   = flag.Bool("whole", false, "do more of everything: takes many minutes")
	rounds  = flag.Int("rounds", 0, "cuts that are recovered from on a recorded disk, per medium; 0 is 2, or 25 with -whole")
	chances = flag.Float64("chances", 0.5, "random states per operation")
)

func TestMain(m *testing.M) {
	if !recorddisk.Main() {
		os.Exit(m.Run())
	}
}

// quiet discards what the code under test logs: thousands of damaged states are opened.
var quiet = slog.New(slog.DiscardHandler)

// fastDir is a directory in memory where there is one. It must not lie on a recorded disk.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "burnfs-powercut-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// cut is one state of the disks to look at.
type cut struct {
	at    int // operations done
	op    string
	how   string
	image *recorddisk.Image
	check func(dir string) error
}

// inspectors look at cuts, several at a time, each in a directory of its own.
type inspectors struct {
	t    testing.TB
	dir  string
	work chan cut
	// forks is held for reading by who has discs open: a child that is being started has
	// their locks, too, until it runs its own program.
	forks sync.RWMutex
	wg    sync.WaitGroup

	mu     sync.Mutex
	counts map[string]int // by way of surviving
	failed int
}

func newInspectors(t testing.TB) *inspectors {
	p := &inspectors{t: t, dir: fastDir(t), work: make(chan cut), counts: map[string]int{}}
	for i := range 8 * runtime.GOMAXPROCS(0) { // a drive is waited for now and then
		p.wg.Go(func() {
			for c := range p.work {
				p.inspect(c, filepath.Join(p.dir, fmt.Sprint(i)))
			}
		})
	}
	return p
}

func (p *inspectors) inspect(c cut, dir string) {
	p.forks.RLock()
	defer p.forks.RUnlock()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = c.image.Export(dir)
	}
	if err == nil {
		err = c.check(dir)
	}
	if rerr := os.RemoveAll(dir); err == nil {
		err = rerr
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	way, _, _ := strings.Cut(c.how, ",")
	p.counts[way]++
	if err == nil {
		return
	}
	if p.failed++; p.failed <= 5 {
		p.t.Errorf("cut after operation %d, %s; %s: %v", c.at, c.op, c.how, err)
		if kept, err := os.MkdirTemp("", "burnfs-cut-"); err == nil && c.image.Export(kept) == nil {
			p.t.Logf("what the disk held is kept in %s", kept)
		}
	}
}

// tooMany tells that there is no point in going on.
func (p *inspectors) tooMany() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed > 5
}

// end waits for all and reports.
func (p *inspectors) end(h *recorddisk.History) {
	p.t.Helper()
	close(p.work)
	p.wg.Wait()
	p.t.Logf("%d operations %v, states inspected %v, %d failed", len(h.Ops), h.Counts(), p.counts, p.failed)
}

// chance makes a way of surviving and says which, so that it can be made again.
func chance(rng *rand.Rand, sectors ...int) (recorddisk.Survival, string) {
	seed, sector := rng.Uint64(), sectors[rng.IntN(len(sectors))]
	return recorddisk.Chance(rand.New(rand.NewPCG(seed, 0)), sector), fmt.Sprintf("chance, seed %d, sectors of %d bytes", seed, sector)
}

func background() context.Context { return context.Background() }
