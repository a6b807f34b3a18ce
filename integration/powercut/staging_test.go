package powercut

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/recorddisk"
	"burnfs/session/fsck"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

const uuid = "u"

// open is a tree over a store.
type open struct {
	store *staging.Store
	tree  *tree.Tree
}

// metaBase is where package session notes what the changes build upon: here a blank disc.
const metaBase = "disc.base"

func openTree(s *staging.Store) (open, error) {
	known := false
	err := s.View(func(r staging.Reader) error {
		known = r.Meta(metaBase) != nil
		return nil
	})
	if err == nil && !known {
		b := s.NewBatch()
		b.PutMeta(metaBase, []byte(`{"start":0,"hash":""}`))
		err = s.Commit(b)
	}
	if err != nil {
		return open{}, errors.Join(err, s.Close())
	}
	t, err := tree.Open(background(), tree.Options{
		Store: s, NextIno: 2, FlushEvery: time.Hour,
		Space: tree.Space{Total: 1 << 24, Free: 1 << 24}, Now: time.Now, Log: quiet,
	})
	if err != nil {
		return open{}, errors.Join(err, s.Close())
	}
	err = s.Reclaim(func(yield func(staging.Range) bool) {
		for e := range t.Staged {
			if !yield(staging.Range{Addr: e.Addr, Len: e.Len}) {
				return
			}
		}
	})
	o := open{s, t}
	if err != nil {
		return o, errors.Join(err, o.close())
	}
	return o, nil
}

func (o open) close() error { return errors.Join(o.tree.Close(background()), o.store.Close()) }

// checkStaging lets the checker look at a store, without the disc. Nothing is staged as zeros
// here, so even a hole is a loss.
func checkStaging(state, uuid string) error {
	report, err := fsck.Dir(background(), filepath.Join(state, "discs", uuid))
	if err != nil {
		return fmt.Errorf("checker: %w", err)
	}
	return damage(report, false)
}

// damage makes an error of what the checker found. A power cut may leave what is doubtful,
// such as a temporary file; strict minds that, too.
func damage(r *fsck.Report, strict bool) (err error) {
	for _, f := range r.Findings {
		if strict || f.Severity == fsck.Damage || f.Kind == fsck.KindHole {
			err = errors.Join(err, fmt.Errorf("checker: %v", f))
		}
	}
	return err
}

// workOnStaging lets one writer work, then three at once, opening the store anew between,
// and resets the store at last.
func workOnStaging(t *testing.T, rng *rand.Rand, steps int) (*recorddisk.History, []*writer) {
	disk := recorddisk.Mount(t, recorddisk.NewImage("state"), filepath.Join(fastDir(t), "mnt"))
	state := filepath.Join(disk.Dir, "state")
	fatal := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	store, err := staging.Create(state, staging.Identity{UUID: uuid, Kind: staging.KindBlank}, quiet)
	fatal(err, disk.Mark("created"))
	var writers []*writer
	for i := range 4 {
		writers = append(writers, newWriter(fmt.Sprintf("/w%d", i), rand.New(rand.NewPCG(rng.Uint64(), 0)), disk))
	}
	for episode, active := range [][]*writer{writers[:1], writers[1:], writers[:1], nil, writers[:1]} {
		if episode > 0 {
			store, err = staging.Open(state, uuid, quiet)
			fatal(err)
		}
		if active == nil {
			for _, w := range writers {
				fatal(w.gone())
			}
			fatal(store.Reset())
			for _, w := range writers {
				fatal(w.promised())
			}
			fatal(store.Close())
			continue
		}
		o, err := openTree(store)
		fatal(err)
		var wg sync.WaitGroup
		errs := make([]error, len(active))
		for _, w := range writers {
			w.tree = o.tree
		}
		for i, w := range active {
			wg.Go(func() {
				if w.states[len(w.states)-1] == "" {
					errs[i] = w.begin()
				}
				for n := 0; n < steps/len(active) && errs[i] == nil; n++ {
					errs[i] = w.step()
				}
				w.closeAll()
			})
		}
		wg.Wait()
		fatal(errs...)
		if episode != 1 { // else nobody knows what is durable
			id := store.Identity()
			id.Name = fmt.Sprint("episode ", episode)
			fatal(store.SetIdentity(id))
		}
		fatal(o.close())
		for _, w := range writers {
			fatal(w.promised())
		}
	}
	return disk.Stop(t), writers
}

// TestStaging cuts the power after every operation of the staging side.
func TestStaging(t *testing.T) {
	rng := harness.Rand(t)
	steps := 120
	if *whole {
		steps = 1000
	}
	h, writers := workOnStaging(t, rng, steps)
	inspectors := newInspectors(t)
	defer inspectors.end(h)
	var kept []staged
	eachStaging(h, rng, 1, "", writers, inspectors, func(s staged) {
		if s.created {
			kept = append(kept, s)
		}
	})
	rounds := 4
	if *whole {
		rounds = 60
	}
	for range rounds {
		kept[rng.IntN(len(kept))].cutAgain(t, rng, inspectors)
	}
}

// staged is what a power cut has left of staging.
type staged struct {
	cut     cut
	allowed bounds
	created bool
	writers []*writer
}

// eachStaging inspects the states that a history can leave, a share of them, and shows them
// to see. A state that stays the same over several operations is looked at once, with what
// was allowed at its begin and promised at its end.
func eachStaging(h *recorddisk.History, rng *rand.Rand, share float64, label string, writers []*writer, p *inspectors, see func(staged)) {
	type run struct {
		cut     cut
		version int
		first   bounds
	}
	player, runs := h.Player(), map[string]*run{}
	now, created := bounds{}, false
	for _, w := range writers {
		now[w.dir] = bound{}
	}
	send := func(r *run, last bounds, created bool) {
		if rng.Float64() > share {
			return
		}
		r.cut.how = label + r.cut.how
		s := staged{r.cut, last.within(r.first), created, writers}
		again := rng.IntN(4) == 0 || *whole
		s.cut.check = func(dir string) error {
			return inspectStaging(filepath.Join(dir, "state"), writers, s.allowed, created, again)
		}
		see(s)
		p.work <- s.cut
	}
	for op := player.Next(); op != nil && !p.tooMany(); op = player.Next() {
		before, createdBefore := now.clone(), created
		now.see(op)
		created = created || op.Kind == recorddisk.Mark && op.Name == "created"
		v := player.Versions("state")
		for _, way := range []struct {
			name    string
			version int
			s       func() recorddisk.Survival
		}{
			{"kill", v.All, recorddisk.All},
			{"synced only", v.Synced, recorddisk.Synced},
			{"journalled", v.Journalled, recorddisk.Journalled},
		} {
			if r := runs[way.name]; r != nil && r.version == way.version {
				continue
			} else if r != nil {
				send(r, before, createdBefore)
			}
			runs[way.name] = &run{
				cut:     cut{at: player.Pos(), op: op.String(), how: way.name, image: player.State(map[string]recorddisk.Survival{"state": way.s()})},
				version: way.version, first: now.clone(),
			}
		}
		n := *chances
		if player.NamesPending() {
			n *= 8 // there are few such moments
		}
		if !created {
			n *= 4 // and a store is made only once
		}
		for ; rng.Float64() < n; n-- {
			s, how := chance(rng, 512, 4096)
			r := &run{cut: cut{at: player.Pos(), op: op.String(), how: how, image: player.State(map[string]recorddisk.Survival{"state": s})}, first: now.clone()}
			send(r, now, created)
		}
	}
	for _, r := range runs {
		send(r, now, created)
	}
}

// cutAgain lets the store be opened on a recorded disk and a writer go on, and cuts the power
// after the operations of that.
func (s staged) cutAgain(t *testing.T, rng *rand.Rand, p *inspectors) {
	t.Helper()
	dir := filepath.Join(fastDir(t), "mnt")
	p.forks.Lock()
	disk := recorddisk.Mount(t, s.cut.image, dir)
	p.forks.Unlock()
	fatal(t, disk.Mark("created"))
	store, err := staging.Open(filepath.Join(disk.Dir, "state"), uuid, quiet)
	fatal(t, err)
	o, err := openTree(store)
	fatal(t, err)
	found, err := s.allowed.find(s.writers, o.tree)
	if err != nil {
		t.Errorf("cut after operation %d, %s; %s; then recorded: %v", s.cut.at, s.cut.op, s.cut.how, err)
	}
	var writers []*writer
	for name, state := range found { // nobody changes these any more
		writers = append(writers, &writer{dir: name, states: []string{state}})
	}
	w := newWriter("/again", rand.New(rand.NewPCG(rng.Uint64(), 0)), disk)
	w.tree = o.tree
	fatal(t, w.begin())
	for range 25 {
		fatal(t, w.step())
	}
	w.closeAll()
	fatal(t, o.close(), w.promised())
	eachStaging(disk.Stop(t), rng, 0.3, fmt.Sprintf("again, after operation %d, %s, with %s, ", s.cut.at, s.cut.op, s.cut.how), append(writers, w), p, func(staged) {})
}

// inspectStaging looks at staging as it was found after a cut.
func inspectStaging(state string, writers []*writer, allowed bounds, created, again bool) error {
	stores, err := staging.Find(background(), state, nil)
	if err != nil {
		return err
	}
	var s *staging.Store
	if len(stores) == 0 && !created {
		// Whoever mounts the disc makes it then.
		s, err = staging.Create(state, staging.Identity{UUID: uuid, Kind: staging.KindBlank}, quiet)
	} else if err = checkStaging(state, uuid); err == nil {
		s, err = staging.Open(state, uuid, quiet)
	}
	if err != nil {
		return err
	}
	o, err := openTree(s)
	if err != nil {
		return fmt.Errorf("opened: %w", err)
	}
	found, err := allowed.find(writers, o.tree)
	if err != nil {
		return errors.Join(err, o.close())
	}
	if !again {
		return o.close()
	}
	// It is as good as any other.
	w := &writer{dir: "/after", rng: rand.New(rand.NewPCG(1, 1)), tree: o.tree}
	if _, err := o.tree.Create(background(), o.tree.Root(), "after", tree.New{Mode: 0o040755}); err != nil {
		return errors.Join(err, o.close())
	}
	for range 20 {
		if err := w.something(); err != nil {
			return errors.Join(fmt.Errorf("going on: %w", err), o.close())
		}
	}
	if found["/after"], err = manifest(o.tree, "/after"); err != nil {
		return errors.Join(err, o.close())
	}
	if err := errors.Join(o.close(), checkStaging(state, uuid)); err != nil {
		return fmt.Errorf("after going on: %w", err)
	}
	if s, err = staging.Open(state, uuid, quiet); err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	if o, err = openTree(s); err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	for dir := range maps.Keys(found) {
		if got, merr := manifest(o.tree, dir); merr != nil || got != found[dir] {
			err = errors.Join(err, merr, fmt.Errorf("opened again, %s differs by\n%s", dir, differences(found[dir], got)))
		}
	}
	return errors.Join(err, o.close())
}
