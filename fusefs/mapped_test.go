package fusefs

import (
	"context"
	"testing"
	"testing/synctest"

	"bazil.org/fuse"
)

// TestWritebacks: who waits is told when all pages are answered, and how many requests
// there were; other writes are none of these.
func TestWritebacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writebacks
		begin := func(flags fuse.WriteFlags) context.CancelFunc {
			ctx, answer := context.WithCancel(t.Context())
			w.watch(ctx, &fuse.WriteRequest{Flags: flags})
			return answer
		}
		defer begin(0)()
		w.watch(t.Context(), &fuse.ReadRequest{})
		if n, err := w.wait(t.Context()); n != 0 || err != nil {
			t.Errorf("before the first: %d, %v", n, err)
		}
		first, second := begin(fuse.WriteCache), begin(fuse.WriteCache)
		gone, leave := context.WithCancel(t.Context())
		results := make(chan int64, 2)
		go func() {
			n, err := w.wait(gone)
			if err == nil {
				t.Error("who had gone away was told")
			}
			results <- -n
		}()
		synctest.Wait()
		leave()
		<-results
		go func() {
			n, err := w.wait(t.Context())
			if err != nil {
				t.Error(err)
			}
			results <- n
		}()
		first()
		synctest.Wait()
		select {
		case n := <-results:
			t.Fatalf("told of %d while one is not answered", n)
		default:
		}
		second()
		if n := <-results; n != 2 {
			t.Errorf("%d requests, should be 2", n)
		}
		begin(fuse.WriteCache)()
		synctest.Wait()
		if n, err := w.wait(t.Context()); n != 3 || err != nil {
			t.Errorf("after the third: %d, %v", n, err)
		}
	})
}
