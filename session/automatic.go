package session

import (
	"errors"

	"burnfs/session/policy"
)

// outcomes counts how commits ended, for whoever begins them by itself.
type outcomes struct {
	commits int // that succeeded
	// failures since the last that did, and those of them after which the disc
	// may hold something of no use.
	failures, touched int
}

func (o *outcomes) count(err error) {
	if err == nil {
		o.commits++
		o.failures, o.touched = 0, 0
		return
	}
	o.failures++
	if ce, ok := errors.AsType[*CommitError](err); ok && ce.DiscTouched {
		o.touched++
	}
}

// Look is what package policy wants to know; it is quick and waits for nothing.
func (d *Disc) Look() policy.Look {
	d.mu.Lock()
	o := d.outcomes
	d.mu.Unlock()
	l := policy.Look{Commits: o.commits, Failures: o.failures, Touched: o.touched}
	if d.store == nil {
		return l
	}
	l.Seq, l.Writers, l.NewBytes = d.tree.Changes(), d.tree.WritersOpen(), d.tree.NewBytes()
	l.Busy = d.running.Load() > 0
	return l
}

// Waiting tells whether anything waits that can be burned, and how many bytes of
// new data.
func (d *Disc) Waiting() (bool, int64) {
	d.mu.Lock()
	readOnly := d.readOnlyReason != ""
	d.mu.Unlock()
	if readOnly {
		return false, 0
	}
	p := d.tree.Pending()
	return !p.Empty(), p.Bytes
}

// SessionCost is what a session that changes next to nothing takes of the disc,
// in bytes: the gap before it, its directories and what surrounds them.
func (d *Disc) SessionCost() int64 { return d.tree.SessionCost() }
