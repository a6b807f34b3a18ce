package harness

import (
	"flag"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

var seedFlag = flag.Uint64("seed", 1, "`seed` of everything that tests choose at random; 0 takes a new one")

var seed = sync.OnceValue(func() uint64 {
	if *seedFlag != 0 {
		return *seedFlag
	}
	return uint64(time.Now().UnixNano())
})

// Rand returns the test's own source of random numbers. It depends on the seed
// and the test's name only, so a test repeats whether others run or not.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	t.Logf("random choices repeat with -seed=%d", seed())
	return rand.New(rand.NewPCG(seed(), h.Sum64()))
}
