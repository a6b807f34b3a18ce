package session

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// TestInterruptedPlanKeepsItsBytes: a file of an interrupted burn is replaced before the
// disc is closed. The burn that is taken up again records it as it was at the freeze, so
// the log must still have those bytes.
func TestInterruptedPlanKeepsItsBytes(t *testing.T) {
	r := newRig(t, "bd-r")
	old := bytes.Repeat([]byte("as it was frozen\n"), 20_000)
	r.open()
	r.put("file", old)
	ctx, cancel := context.WithCancel(r.ctx)
	if _, err := r.disc.Commit(ctx, "test", func(p Progress) {
		if p.Phase == PhaseBurning {
			cancel()
		}
	}); err == nil {
		t.Fatal("the commit was not interrupted")
	}
	r.put("file", []byte("changed since"))
	r.close() // checks staging: no range of the plan may be a hole
	r.open()
	r.disc.background.Wait()
	r.commit()
	r.close()
	r.opt.Session = 1
	r.open()
	n := r.dir("file")
	got := make([]byte, len(old)+1)
	k, err := r.disc.Tree().ReadAt(r.ctx, n, got, 0)
	if err != nil && err != io.EOF || !bytes.Equal(got[:k], old) {
		t.Errorf("the first session has %d bytes of the file (%v), not those that were frozen", k, err)
	}
}
