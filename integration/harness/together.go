package harness

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Together runs functions side by side and returns when all have ended. If one of them
// fails the test for good, the test ends then.
func Together(t testing.TB, functions ...func()) {
	t.Helper()
	var wg sync.WaitGroup
	var failed atomic.Bool
	for _, f := range functions {
		wg.Go(func() {
			// FailNow ends this goroutine only.
			returned := false
			defer func() {
				if !returned {
					failed.Store(true)
				}
			}()
			f()
			returned = true
		})
	}
	wg.Wait()
	if failed.Load() {
		t.FailNow()
	}
}
