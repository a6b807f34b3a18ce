package tree

import "context"

// Peek returns the tree as it is, as Freeze does, for somebody who only wants to
// know: no session will come of it, so that nothing is set aside for one and what
// is changed from now on counts as before. Everything done so far is durable then.
func (t *Tree) Peek(context.Context) (*Frozen, error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	if err := t.flush(); err != nil {
		return nil, err
	}
	batch := t.store.NewBatch()
	t.gate.Lock()
	c := t.capture()
	f := t.frozenAt(c)
	t.gate.Unlock()
	err := t.storeChanges(batch, c)
	if err == nil {
		f.snap, err = t.store.Snapshot()
	}
	if err != nil {
		f.unpin()
		return nil, err
	}
	return f, nil
}
