package soak

import (
	"fmt"
	"strings"
	"time"

	"burnfs/integration/manifest"
)

// candidates are the numbers of operations of an actor after which its subtree
// was what the mount holds now. They are indices of the next operation.
type candidates struct {
	low, high int    // what is possible
	list      []int  // ascending
	best      int    // where the tree was most like it
	count     int    // in how many names it differed there
	diff      string // for people
}

// search replays operations on a copy of the base and finds the candidates of
// each actor. The base is what was there before ops.
func search(root string, got manifest.Tree, actors []*Actor, ops []Op, since time.Time) ([]candidates, error) {
	found := make([]candidates, len(actors))
	places := make([]*Place, len(actors))
	trackers := make([]*tracker, len(actors))
	next := make([]int, len(actors)) // the index of each actor's next operation
	look := func(i int) {
		c, n := &found[i], len(trackers[i].wrong)
		if n == 0 {
			c.list = append(c.list, next[i])
		}
		if n < c.count {
			c.best, c.count = next[i], n
		}
	}
	for i, a := range actors {
		found[i] = candidates{low: a.synced, high: a.index, count: 1 << 30}
		next[i] = a.index
		for k := range ops {
			if index, ok := ops[k].touches(i); ok {
				next[i] = index
				break
			}
		}
		places[i] = &Place{Root: root}
		defer places[i].closeAll()
		trackers[i] = &tracker{root: root, dir: a.dir, want: part(got, a.dir), since: since}
		if next[i] >= a.synced {
			if err := trackers[i].rescan(); err != nil {
				return nil, err
			}
			look(i)
		}
	}
	for i := range ops {
		o := &ops[i]
		p := places[o.Actor]
		file := p.open[o.Handle]
		if !o.looks() {
			p.Do(o)
		}
		for a, t := range trackers {
			index, ok := o.touches(a)
			if !ok {
				continue
			}
			next[a] = index + 1
			var err error
			switch {
			case next[a] < found[a].low:
				continue // it has done more than that
			case t.now == nil:
				err = t.rescan()
			case !o.looks():
				if o.Kind == Close {
					file = nil
				}
				err = t.after(o, file)
			}
			if err != nil {
				return nil, err
			}
			look(a)
		}
	}
	return found, nil
}

// choose takes one candidate of each actor, as late as possible, so that each
// move between two subtrees happened in both or in neither.
func choose(found []candidates, ops []Op) ([]int, error) {
	at := make([]int, len(found))
	for i, c := range found {
		if len(c.list) == 0 {
			return nil, fmt.Errorf("the subtree of actor %d is what it was after none of its operations %d to %d", i, c.low, c.high)
		}
		at[i] = c.list[len(c.list)-1]
	}
	// reduce lets an actor have done less than index+1 operations.
	reduce := func(a, index int) bool {
		for k := len(found[a].list) - 1; k >= 0; k-- {
			if c := found[a].list[k]; c <= index && c < at[a] {
				at[a] = c
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for i := range ops {
			o := &ops[i]
			if o.Other < 0 {
				continue
			}
			here, there := at[o.Actor] > o.Index, at[o.Other] > o.OtherIndex
			switch {
			case here == there:
				continue
			case here && !reduce(o.Actor, o.Index), there && !reduce(o.Other, o.OtherIndex):
				return nil, fmt.Errorf("this happened in one of the two subtrees only: %v", o)
			}
			again = true
		}
	}
	return at, nil
}

// replay does to a copy of the base what is known to have happened.
func replay(root string, ops []Op, at []int) {
	places := make([]*Place, len(at))
	for i := range at {
		places[i] = &Place{Root: root}
		defer places[i].closeAll()
	}
	for i := range ops {
		if o := &ops[i]; !o.looks() && o.Index < at[o.Actor] && (o.Other < 0 || o.OtherIndex < at[o.Other]) {
			places[o.Actor].Do(o)
		}
	}
}

// explain tells what a person needs to know of a mismatch.
func explain(found []candidates, actors []*Actor, ops []Op) string {
	var b strings.Builder
	for i, c := range found {
		if len(c.list) > 0 {
			fmt.Fprintf(&b, "actor %d (%s): operations %d to %d are possible, the tree fits to %v\n", i, actors[i].dir, c.low, c.high, c.list)
			continue
		}
		fmt.Fprintf(&b, "actor %d (%s): operations %d to %d are possible, none fits; after %d the mount differs from the mirror:\n%s\n",
			i, actors[i].dir, c.low, c.high, c.best, c.diff)
		fmt.Fprintf(&b, "operations around it:\n")
		for k := range ops {
			if index, ok := ops[k].touches(i); ok && index > c.best-15 && index < c.best+15 {
				fmt.Fprintf(&b, "  %v\n", &ops[k])
			}
		}
	}
	return b.String()
}
