package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// Soak is one disc, its mirror, and those who work on them.
type Soak struct {
	*harness.Lab
	rng    *rand.Rand
	disc   *harness.Disc
	mount  *harness.Mount
	point  string
	mirror string
	base   string
	since  time.Time // when the base was made
	fresh  time.Time // when the mirror took over times last

	actors  []*Actor // the last one is the shared subtree
	journal *Journal

	gate   sync.RWMutex // held for reading by whoever does an operation
	killed atomic.Bool
	ending atomic.Bool
	wait   sync.WaitGroup

	trouble sync.Once
	failed  atomic.Bool

	typical map[string]time.Duration // how long the phases of a commit take
	counts  Counts

	references map[uint32]manifest.Tree // what sessions hold, by first block
	regions    map[uint32]string        // hashes of their blocks
}

// Counts are the numbers of a run.
type Counts struct {
	Ops, Lost                    int
	Commits, Remounts, Compared  int
	Kills                        map[string]int // by phase
	Sessions, Pieces, References int
}

func (c *Counts) String() string {
	var phases []string
	total := 0
	for phase, n := range c.Kills {
		phases = append(phases, fmt.Sprintf("%s %d", phase, n))
		total += n
	}
	sort.Strings(phases)
	return fmt.Sprintf("%d operations (%d of them lost in kills), %d commits, %d kills (%s), %d remounts, %d comparisons, %d sessions, %d pieces of sessions, %d sessions compared with references",
		c.Ops, c.Lost, c.Commits, total, strings.Join(phases, ", "), c.Remounts, c.Compared, c.Sessions, c.Pieces, c.References)
}

func (c *Counts) add(d *Counts) {
	c.Ops += d.Ops
	c.Lost += d.Lost
	c.Commits += d.Commits
	c.Remounts += d.Remounts
	c.Compared += d.Compared
	c.Sessions += d.Sessions
	c.Pieces += d.Pieces
	c.References += d.References
	if c.Kills == nil {
		c.Kills = make(map[string]int)
	}
	for phase, n := range d.Kills {
		c.Kills[phase] += n
	}
}

// start mounts a blank disc and lets the actors begin.
func start(l *harness.Lab, media string, actors int, seed uint64) *Soak {
	l.Helper()
	s := &Soak{
		Lab: l, rng: rand.New(rand.NewPCG(seed, 1)), disc: l.Disc(media),
		mirror: l.Path("mirror"), base: l.Path("base"),
		typical: make(map[string]time.Duration), counts: Counts{Kills: make(map[string]int)},
		references: make(map[uint32]manifest.Tree), regions: make(map[uint32]string),
	}
	l.Mkdir("mirror", 0o755)
	s.point = l.Mkdir("mnt", 0o755)
	var err error
	if s.journal, err = newJournal(l.Path("ops.log")); err != nil {
		l.Fatal(err)
	}
	s.journal.note("media %s, seed %d, %d actors", media, seed, actors)
	s.remount()
	for i := range actors + 1 {
		a := &Actor{id: i, dir: fmt.Sprintf("w%d", i), seed: seed, names: make(map[string]byte)}
		if i == actors {
			a.dir = "shared"
		}
		a.mount, a.mirror = &Place{Root: s.mount.Point, Sync: true}, &Place{Root: s.mirror}
		s.actors = append(s.actors, a)
		for _, p := range []*Place{a.mount, a.mirror} {
			if err := os.Mkdir(p.path(a.dir), 0o755); err != nil {
				l.Fatal(err)
			}
		}
	}
	if s.phases("sync", nil); l.Failed() {
		l.FailNow()
	}
	s.compare("in the beginning")
	s.rebase()
	s.temper()
	for i := range actors {
		s.wait.Add(1)
		go s.work(i, rand.New(rand.NewPCG(seed, 100+uint64(i))))
	}
	return s
}

// fail reports the first thing that went wrong; what follows from it is noise.
func (s *Soak) fail(format string, args ...any) {
	s.Helper()
	s.trouble.Do(func() {
		text := fmt.Sprintf(format, args...)
		s.journal.note("FAILED: %s", text)
		s.Errorf("%s\n\nkept: disc %s, staging below %s, mirror %s, operations %s\n%s", text, s.disc.Path, s.State, s.mirror, s.Path("ops.log"), tail(s.mount.LogText(), 40))
		s.failed.Store(true)
	})
}

func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// work is the life of an actor: mostly in its own subtree.
func (s *Soak) work(id int, rng *rand.Rand) {
	defer s.wait.Done()
	for !s.ending.Load() && !s.failed.Load() {
		s.gate.RLock()
		if !s.killed.Load() && !s.failed.Load() {
			switch n := rng.IntN(100); {
			case n < 6:
				s.step(s.actors[len(s.actors)-1])
			case n < 8:
				s.move(rng)
			default:
				s.step(s.actors[id])
			}
		}
		s.gate.RUnlock()
		// A pace that leaves the processor to the daemon.
		time.Sleep(time.Duration(rng.IntN(5)) * time.Millisecond)
	}
}

// step lets an actor do its next operation on both sides.
func (s *Soak) step(a *Actor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.next()
	if !s.both(a, &o) {
		return
	}
	if o.Kind == Rename {
		if !a.mirror.exists(o.Path) {
			moved := a.give(o.Path)
			a.give(o.To)
			a.take(o.To, moved)
		}
		return
	}
	a.done(&o)
}

func (p *Place) exists(rel string) bool {
	var st unix.Stat_t
	return unix.Lstat(p.path(rel), &st) == nil
}

// both does an operation to the mount and the mirror and compares the results.
// It tells whether the operation succeeded.
func (s *Soak) both(a *Actor, o *Op) bool {
	s.journal.begin(o)
	got := a.mount.Do(o)
	s.journal.end(o, got)
	a.index = o.Index + 1
	if o.Other >= 0 {
		s.actors[o.Other].index = o.OtherIndex + 1
	}
	if s.killed.Load() && dead(got) {
		return false
	}
	want := a.mirror.Do(o)
	if got != want {
		if !s.killed.Load() {
			s.fail("%v\nsays %q on the mount, and %q on the mirror", o, got, want)
		}
		return false
	}
	ok := !isErrno(got)
	if o.durable(got) {
		a.synced = a.index
	}
	return ok
}

func isErrno(result string) bool {
	return len(result) > 1 && result[0] == 'E' && strings.ToUpper(result) == result
}

// move takes something from one subtree to another.
func (s *Soak) move(rng *rand.Rand) {
	from, to := rng.IntN(len(s.actors)), rng.IntN(len(s.actors))
	if from == to {
		return
	}
	a, b := s.actors[from], s.actors[to]
	first, second := a, b
	if from > to {
		first, second = b, a
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	name := a.pick(rng, "ffdlo")
	// What is open there could be changed from here.
	if name == "" || name == a.crowd || len(a.handles) > 0 || len(a.plan) > 0 || len(b.names) > maxNames || !a.selfContained(name) {
		return
	}
	target := b.newPath(rng)
	if target == b.crowd {
		return
	}
	o := Op{Kind: Rename, Actor: from, Index: a.index, Other: to, OtherIndex: b.index, Path: name, To: target}
	if s.both(a, &o) {
		moved := a.give(name)
		b.give(target)
		b.take(target, moved)
	}
}

// temper chooses how the actors fsync from now on.
func (s *Soak) temper() {
	for _, a := range s.actors {
		a.calm = []int{0, 15, 60, 300}[s.rng.IntN(4)]
	}
}

// quiet stops everybody between operations until the result is called.
func (s *Soak) quiet() (resume func()) {
	s.gate.Lock()
	return s.gate.Unlock
}

// closeHandles closes what the actors have open. Everybody is quiet.
func (s *Soak) closeHandles() {
	for _, a := range s.actors {
		a.mount.closeAll()
		a.mirror.closeAll()
		a.handles, a.plan = nil, nil
	}
}

// allDurable notes that everything before these indices is durable.
func (s *Soak) allDurable(indices []int) {
	for i, a := range s.actors {
		a.mu.Lock()
		a.synced = max(a.synced, indices[i])
		a.mu.Unlock()
	}
}

func (s *Soak) indices() []int {
	list := make([]int, len(s.actors))
	for i, a := range s.actors {
		a.mu.Lock()
		list[i] = a.index
		a.mu.Unlock()
	}
	return list
}

// remount mounts the disc; a dead mount is cleared away by that.
func (s *Soak) remount() {
	s.Helper()
	var options []string
	if s.rng.IntN(3) == 0 {
		options = append(options, "speed=9000") // phases of a slow drive can be hit
	}
	// Lab.Mkdir cannot look at the root of a dead mount.
	s.mount = s.disc.MountAt(s.point, options...)
	s.counts.Remounts++
	s.journal.note("mounted, process %d, %v", s.mount.PID, options)
}

// compare tells how the mount differs from the mirror. Everybody is quiet.
func (s *Soak) compare(when string) {
	s.Helper()
	if s.failed.Load() {
		return
	}
	got, err := manifest.Read(s.mount.Point)
	if err != nil {
		s.fail("%s: the mount cannot be read: %v", when, err)
		return
	}
	s.compareWith(when, got)
}

func (s *Soak) compareWith(when string, got manifest.Tree) {
	s.Helper()
	want, err := manifest.Read(s.mirror)
	if err != nil {
		s.fail("%v", err)
		return
	}
	want = lenient(want, got, s.fresh)
	if d := manifest.Diff(want, got, manifest.Everything); d != "" {
		s.fail("%s: the mount differs from the mirror:\n%s", when, d)
		return
	}
	s.fresh = time.Now().Add(-20 * time.Millisecond) // the kernel's clock for files is a coarse one
	real, err := manifest.Read(s.mirror)
	if err == nil {
		err = adopt(s.mirror, real, got)
	}
	if err != nil {
		s.fail("%v", err)
	}
	s.counts.Compared++
}

// rebase makes the mirror the base. Everybody is quiet and nothing is open.
func (s *Soak) rebase() {
	s.Helper()
	s.copyTree(s.mirror, s.base)
	s.journal.rebase()
	s.since = time.Now().Add(-20 * time.Millisecond)
	s.fresh = s.since
	s.allDurable(s.indices())
}

func (s *Soak) copyTree(from, to string) {
	s.Helper()
	if err := os.RemoveAll(to); err != nil {
		s.Fatal(err)
	}
	harness.Run(s, "cp", "-a", "--reflink=auto", from, to)
}

// recover mounts after a kill, finds out how far the actors came, and makes the
// mirror anew. Everybody is quiet.
func (s *Soak) recover() {
	s.Helper()
	s.closeHandles()
	if s.rng.IntN(2) == 0 {
		// Otherwise the mount that is dead is left to burnfs mount.
		for _, point := range harness.MountsBelow(s, s.point) {
			if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
				s.Fatalf("umount -l %s: %v", point, err)
			}
		}
		s.checkStaging(s.disc.Path)
	}
	s.remount()
	got, err := manifest.Read(s.mount.Point)
	if err != nil {
		s.fail("after a kill the mount cannot be read: %v", err)
		return
	}
	ops := s.journal.ops
	s.journal.note("%d operations to look through", len(ops))
	scratch := s.Path("scratch")
	s.copyTree(s.base, scratch)
	found, err := search(scratch, got, s.actors, ops, s.since)
	if err != nil {
		s.fail("%v", err)
		return
	}
	at, err := choose(found, ops)
	if err != nil {
		s.explain(found, got, scratch)
		s.fail("after a kill: %v\n%s", err, explain(found, s.actors, ops))
		return
	}
	for i, a := range s.actors {
		s.counts.Lost += a.index - at[i]
	}
	s.journal.note("the actors came to %v of %v", at, s.indices())
	s.journal.note("replay")
	if err := os.RemoveAll(scratch); err != nil {
		s.Fatal(err)
	}
	s.copyTree(s.base, s.mirror)
	replay(s.mirror, ops, at)
	s.fresh = s.since
	s.journal.note("compare")
	s.compareWith("after a kill", got)
	for _, a := range s.actors {
		if err := a.learn(); err != nil {
			s.fail("%v", err)
		}
		a.crowd = ""
		for name := range a.names {
			if filepath.Dir(name) == a.dir && strings.HasPrefix(filepath.Base(name), "crowd") {
				a.crowd = name
			}
		}
	}
	s.rebase()
	s.temper()
	s.killed.Store(false)
}

// checkStaging lets burnfs check all that is staged, or what is staged for discs,
// against these. Nothing is mounted.
func (s *Soak) checkStaging(discs ...string) {
	s.Helper()
	if r := s.Burnfs(append([]string{"fsck-staging", "--statedir=" + s.State}, discs...)...); r.Code != 0 {
		s.fail("staging is not whole:\n%v", r)
	}
}

// explain finds out how the mount differs from the state that is most like it.
func (s *Soak) explain(found []candidates, got manifest.Tree, scratch string) {
	s.Helper()
	s.copyTree(s.base, scratch)
	at := make([]int, len(found))
	for i, c := range found {
		at[i] = c.best
	}
	replay(scratch, s.journal.ops, at)
	for i := range found {
		want, err := manifest.ReadBelow(scratch, s.actors[i].dir)
		if err != nil {
			s.Error(err)
			return
		}
		have := part(got, s.actors[i].dir)
		found[i].diff = manifest.Diff(lenient(want, have, s.since), have, manifest.Everything)
	}
}

// phaseNames are the phases in which a daemon can be killed.
var phaseNames = []string{"planning", "burning", "closing", "verifying", "publishing", "after"}

// phases commits and returns when that is done. With a plan, the daemon is
// killed in the phase that it names, at a random moment; then the result is the
// phase.
func (s *Soak) phases(what string, target *string) (phase string, killed bool) {
	s.Helper()
	before := s.indices()
	d, err := connect(s.mount.Point)
	if err != nil {
		s.fail("%v", err)
		return "", false
	}
	reports := make(chan string, 100)
	result := make(chan error, 1)
	go func() {
		err := d.commit(what, func(p string) { reports <- p })
		close(reports)
		result <- err
	}()
	var timer <-chan time.Time
	aim := func(phase string) {
		if target != nil && *target == phase {
			timer = time.After(time.Duration(s.rng.Float64() * 1.3 * float64(s.typical[phase])))
		}
	}
	began := time.Now()
	phase = "asked"
	enter := func(next string) {
		old := s.typical[phase]
		s.typical[phase] = (old*3 + time.Since(began)) / 4
		began, phase = time.Now(), next
		aim(next)
	}
	for done := false; !done; {
		select {
		case <-timer:
			s.kill(phase)
			<-result
			return phase, true
		case next, ok := <-reports:
			if done = !ok; ok {
				enter(next)
			}
		}
	}
	if err := <-result; err != nil {
		s.fail("%s: %v", what, err)
		return phase, false
	}
	enter("after")
	s.counts.Commits++
	s.allDurable(before)
	return phase, false
}

// kill ends the daemon.
func (s *Soak) kill(phase string) {
	s.Helper()
	s.killed.Store(true)
	s.journal.note("kill in phase %s", phase)
	s.mount.TryKill()
	s.counts.Kills[phase]++
}

// turn is one thing that the conductor does.
func (s *Soak) turn() {
	s.Helper()
	// The actors get some time alone.
	time.Sleep(time.Duration(100+s.rng.IntN(1500)) * time.Millisecond)
	switch n := s.rng.IntN(20); {
	case n < 10:
		target := phaseNames[s.rng.IntN(len(phaseNames))]
		s.journal.note("sync, to be killed in phase %s", target)
		if _, killed := s.phases("sync", &target); killed || s.failed.Load() {
			break
		}
		if s.rng.IntN(2) == 0 {
			s.kill("after")
		}
	case n < 12:
		st, err := s.mount.TryStatus()
		if err != nil {
			s.fail("%v", err)
			return
		}
		s.kill(st.State)
	case n < 14:
		s.journal.note("sync")
		s.phases("sync", nil)
	case n < 15:
		s.journal.note("burnfs sync")
		before := s.indices()
		if r := s.Burnfs("sync", s.mount.Point); r.Code != 0 {
			s.fail("%v", r)
			return
		}
		s.counts.Commits++
		s.allDurable(before)
	case n < 16:
		defer s.quiet()()
		s.compare("while it is mounted")
		return
	case n < 18:
		defer s.quiet()()
		s.clean()
		return
	default:
		defer s.quiet()()
		s.closeHandles()
		target := append([]string{"unmounted"}, phaseNames[:5]...)[s.rng.IntN(6)]
		s.journal.note("umount, to be killed in phase %s", target)
		_, killed := s.phases("unmount", &target)
		if s.failed.Load() {
			return
		}
		if killed {
			s.recover()
			return
		}
		s.mount.AwaitEnd()
		s.remount()
		s.compare("after it was unmounted")
		s.rebase()
		return
	}
	if s.killed.Load() {
		defer s.quiet()()
		s.recover()
	}
}

// clean unmounts, looks at the disc, and mounts again. Everybody is quiet.
func (s *Soak) clean() {
	s.Helper()
	s.closeHandles()
	s.compare("before it is unmounted")
	before, err := identities(s.mount.Point)
	if err != nil || s.failed.Load() {
		s.fail("%v", err)
		return
	}
	s.journal.note("unmount")
	if s.mount.Unmount() {
		s.counts.Commits++
	}
	s.remember()
	s.remount()
	s.compare("after it was unmounted and mounted")
	after, err := identities(s.mount.Point)
	if err != nil {
		s.fail("%v", err)
		return
	}
	for name, b := range before {
		if a := after[name]; a != b {
			s.fail("%q was %+v before the unmount and is %+v after it", name, b, a)
		}
	}
	s.rebase()
}

// remember notes what the newest session holds, and the blocks of all.
func (s *Soak) remember() {
	s.Helper()
	sessions := s.disc.Sessions()
	if len(sessions) == 0 {
		return
	}
	tree, err := manifest.Read(s.mirror)
	if err != nil {
		s.fail("%v", err)
		return
	}
	s.references[sessions[len(sessions)-1].Start] = tree
	for _, x := range sessions {
		if x.Content != "iso9660" {
			continue
		}
		sum, err := hashBlocks(s.disc.Path, x.Start, x.Blocks)
		if err != nil {
			s.fail("%v", err)
			return
		}
		if old, ok := s.regions[x.Start]; ok && old != sum {
			s.fail("the blocks of session %d, from %d to %d, have changed", x.Number, x.Start, x.Start+x.Blocks)
		}
		s.regions[x.Start] = sum
	}
}

// full tells whether the disc will soon be.
func (s *Soak) full() bool {
	s.Helper()
	st, err := s.mount.TryStatus()
	if err != nil {
		s.fail("%v", err)
		return true
	}
	return st.FitsBytes < 100<<20 || st.Sessions > 80
}

// errStopped ends a run that failed.
var errStopped = errors.New("stopped")

// Run works until the deadline, or until the disc is full.
func (s *Soak) Run(deadline time.Time) error {
	s.Helper()
	for time.Now().Before(deadline) && !s.failed.Load() && !s.full() {
		s.turn()
	}
	s.ending.Store(true)
	s.wait.Wait()
	s.counts.Ops = s.journal.count()
	if s.failed.Load() {
		return errStopped
	}
	return nil
}

// starts lists the first blocks of what is remembered.
func (s *Soak) starts() []uint32 {
	var list []uint32
	for start := range s.references {
		list = append(list, start)
	}
	slices.Sort(list)
	return list
}
